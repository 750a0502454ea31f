//! What publishers and people are told when the connection to PostgreSQL is lost during a commit: it may have been made.

use std::sync::{Arc, Mutex};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    app::{ADMIN, Options, TestApp},
    postgres,
};

/// Which side of the commit the cut is on. The client cannot know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// The server never sees it.
    Before,
    /// The server makes it, and its answer is lost.
    After,
}

/// Stands between the program and PostgreSQL, and cuts a connection at a commit.
struct Proxy {
    port: u16,
    order: Arc<Mutex<Option<Order>>>,
}

/// To cut the connection on which this text goes to the server, at the commit that follows.
struct Order {
    text: &'static str,
    cut: Cut,
}

impl Proxy {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let order = Arc::<Mutex<Option<Order>>>::default();
        tokio::spawn({
            let order = Arc::clone(&order);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    tokio::spawn(connect(client, server, Arc::clone(&order)));
                }
            }
        });
        Self { port, order }
    }

    fn cut_commit_of(&self, text: &'static str, cut: Cut) {
        *self.order.lock().unwrap() = Some(Order { text, cut });
    }
}

async fn connect(client: TcpStream, server: TcpStream, order: Arc<Mutex<Option<Order>>>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let is_cut = CancellationToken::new();
    tokio::spawn({
        let is_cut = is_cut.clone();
        async move {
            is_cut
                .run_until_cancelled(tokio::io::copy(&mut from_server, &mut to_client))
                .await;
        }
    });
    let mut buffer = vec![0; 64 * 1024];
    let mut cut = None;
    while let Ok(length @ 1..) = from_client.read(&mut buffer).await {
        let message = &buffer[..length];
        let contains = |text: &str| message.windows(text.len()).any(|part| part == text.as_bytes());
        if order
            .lock()
            .unwrap()
            .as_ref()
            .is_some_and(|order| contains(order.text))
        {
            cut = order.lock().unwrap().take().map(|order| order.cut);
        }
        let here = cut.filter(|_| contains("COMMIT"));
        if here.is_some() {
            is_cut.cancel();
        }
        if here == Some(Cut::Before) || to_server.write_all(message).await.is_err() || is_cut.is_cancelled() {
            // The server ends what it has read.
            return;
        }
    }
}

/// Of the server that a database is on.
fn port_of(database: &str) -> u16 {
    let (server, _) = database.rsplit_once('/').unwrap();
    server.rsplit_once(':').unwrap().1.parse().unwrap()
}

async fn app(proxy: &Proxy, database: &str) -> TestApp {
    let (_, name) = database.rsplit_once('/').unwrap();
    TestApp::start_with(Options {
        arguments: vec![format!(
            "--database-url=postgres://postgres@127.0.0.1:{}/{name}",
            proxy.port
        )],
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn a_publisher_repeats_an_event_whose_commit_has_no_known_outcome() {
    let database = postgres::create_database().await;
    let proxy = Proxy::start(port_of(&database)).await;
    let app = app(&proxy, &database).await;
    for (cut, id) in [(Cut::Before, "before"), (Cut::After, "after")] {
        let event = json!({ "id": id, "type": "chat", "data": {} });
        let publish = || async {
            let answer = app
                .call(Method::POST, "/api/v1/events")
                .header("content-type", "application/json")
                .body(event.to_string())
                .send()
                .await
                .unwrap();
            let (status, retry) = (answer.status(), answer.headers().contains_key("retry-after"));
            let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            (status, retry, body)
        };
        proxy.cut_commit_of(id, cut);
        let (status, retry, problem) = publish().await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{cut:?}: {problem}");
        assert_eq!(problem["type"], "urn:caleida:problem:unconfirmed", "{cut:?}");
        assert!(
            problem["detail"].as_str().unwrap().contains("with the same ids"),
            "{problem}"
        );
        assert!(retry, "{cut:?}");

        // Only now it shows whether it had been stored: 200 says that it was there.
        let (status, _, answer) = publish().await;
        let expected = match cut {
            Cut::After => StatusCode::OK,
            _ => StatusCode::ACCEPTED,
        };
        assert_eq!(status, expected, "{cut:?}: {answer}");
    }
}

#[tokio::test]
async fn a_change_whose_commit_has_no_known_outcome_says_so() {
    let database = postgres::create_database().await;
    let proxy = Proxy::start(port_of(&database)).await;
    let app = app(&proxy, &database).await;
    let mut browser = app.signed_in(ADMIN).await;
    let form = [
        ("url", "https://example.com/"),
        ("name", "Orders"),
        ("events", "chat"),
    ];
    for cut in [Cut::Before, Cut::After] {
        proxy.cut_commit_of("Orders", cut);
        let page = browser.post("/integrations/webhook/new", &form).await;
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE, "{cut:?}");
        assert!(page.body.contains("it may be saved, or not"), "{}", page.body);
        let list = browser.get("/integrations/webhook").await;
        assert_eq!(list.body.contains("Orders"), cut == Cut::After, "{cut:?}");
    }
}
