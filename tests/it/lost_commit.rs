//! Responses when the connection to PostgreSQL is lost during a commit, so that its outcome is unknown.

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

/// Time of the cut. The client cannot distinguish the two cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Before the database receives the commit.
    Before,
    /// After the database has received it; the result is lost.
    After,
}

/// A proxy in front of PostgreSQL that cuts a connection at a commit.
struct Proxy {
    port: u16,
    planned: Arc<Mutex<Option<PlannedCut>>>,
}

/// Cuts the connection on which this text is sent, at the next commit.
struct PlannedCut {
    text: &'static str,
    cut: Cut,
}

impl Proxy {
    async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let planned = Arc::<Mutex<Option<PlannedCut>>>::default();
        tokio::spawn({
            let planned = Arc::clone(&planned);
            async move {
                while let Ok((client, _)) = listener.accept().await {
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    tokio::spawn(forward(client, server, Arc::clone(&planned)));
                }
            }
        });
        Self { port, planned }
    }

    fn cut_commit_of(&self, text: &'static str, cut: Cut) {
        *self.planned.lock().unwrap() = Some(PlannedCut { text, cut });
    }
}

async fn forward(client: TcpStream, server: TcpStream, planned: Arc<Mutex<Option<PlannedCut>>>) {
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
        if planned
            .lock()
            .unwrap()
            .as_ref()
            .is_some_and(|planned| contains(planned.text))
        {
            cut = planned.lock().unwrap().take().map(|planned| planned.cut);
        }
        let cut_now = cut.filter(|_| contains("COMMIT"));
        if cut_now.is_some() {
            is_cut.cancel();
        }
        if cut_now == Some(Cut::Before)
            || to_server.write_all(message).await.is_err()
            || is_cut.is_cancelled()
        {
            // PostgreSQL still executes what it has received.
            return;
        }
    }
}

/// Returns the server's port in a database URL.
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
async fn unconfirmed_publish_can_be_retried_with_same_id() {
    let database = postgres::create_database().await;
    let proxy = Proxy::start(port_of(&database)).await;
    let app = app(&proxy, &database).await;
    for (cut, id) in [(Cut::Before, "before"), (Cut::After, "after")] {
        let event = json!({ "id": id, "type": "chat", "data": {} });
        let publish = || async {
            let response = app
                .call(Method::POST, "/api/v1/events")
                .header("content-type", "application/json")
                .body(event.to_string())
                .send()
                .await
                .unwrap();
            let (status, retry) = (response.status(), response.headers().contains_key("retry-after"));
            let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
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

        // The retry shows whether the event was stored: 200 if it was, else 202.
        let (status, _, response) = publish().await;
        let expected = match cut {
            Cut::After => StatusCode::OK,
            _ => StatusCode::ACCEPTED,
        };
        assert_eq!(status, expected, "{cut:?}: {response}");
    }
}

#[tokio::test]
async fn form_reports_unconfirmed_change() {
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
        assert!(
            page.body.contains("The change may or may not be saved"),
            "{}",
            page.body
        );
        let list = browser.get("/integrations/webhook").await;
        assert_eq!(list.body.contains("Orders"), cut == Cut::After, "{cut:?}");
    }
}
