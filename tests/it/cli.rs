//! HTTP of the command line: responses and forwarding of `caleida listen`, and requests of `caleida trigger`.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::Router;
use caleida::{
    cli::{
        listen::{self, Forward, ListenState},
        trigger::{Published, TriggerArgs, TriggerError, trigger},
    },
    delivery::{sender::plain_client, signer},
    domain::{Clock, EventType, Secret, Timestamp},
};
use reqwest::StatusCode;
use tokio::net::TcpListener;

use crate::support::receiver::{Receiver, Reply};

const NOON: Timestamp = Timestamp::from_millis(1_795_435_200_000);
const BODY: &str = r#"{"type":"chat","timestamp":"2026-11-23T12:00:00.000Z","data":{"b": 1.50,"a":1}}"#;

struct AlwaysNoon;

impl Clock for AlwaysNoon {
    fn now(&self) -> Timestamp {
        NOON
    }
}

fn secret() -> Secret {
    Secret::parse("correct horse battery staple").unwrap()
}

type Printed = Arc<Mutex<String>>;

fn state(forward: Option<&str>) -> (ListenState, Printed) {
    let printed = Printed::default();
    let out = Arc::clone(&printed);
    let state = ListenState {
        secret: secret(),
        forward: forward.map(|url| Forward::to(url.parse().unwrap()).unwrap()),
        clock: Arc::new(AlwaysNoon),
        colour: false,
        print: Box::new(move |text| out.lock().unwrap().push_str(text)),
    };
    (state, printed)
}

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

async fn call(to: SocketAddr, signature: &str, body: impl Into<reqwest::Body>) -> StatusCode {
    let request = plain_client()
        .unwrap()
        .post(format!("http://{to}/any/path"))
        .header("content-type", "application/json")
        .header("webhook-id", "evt_1")
        .header("webhook-timestamp", NOON.as_secs())
        .header("webhook-signature", signature)
        .header("x-other", "not forwarded");
    request.body(body).send().await.unwrap().status()
}

fn signature() -> String {
    signer::sign("evt_1", NOON.as_secs(), BODY.as_bytes(), [&secret()])
}

#[tokio::test]
async fn listen_returns_204_if_signature_verifies_else_400() {
    let (state, printed) = state(None);
    let address = serve(listen::router(state)).await;
    assert_eq!(call(address, &signature(), BODY).await, StatusCode::NO_CONTENT);
    assert_eq!(call(address, &signature(), "{}").await, StatusCode::BAD_REQUEST);
    let printed = printed.lock().unwrap();
    assert!(
        printed.contains("chat  evt_1  signature ok\n{\n  \"type\": \"chat\",\n"),
        "{printed}"
    );
    assert!(printed.contains("\"b\": 1.50,\n    \"a\": 1\n"), "{printed}");
    assert!(
        printed.contains("no type  evt_1  The signature does not match"),
        "{printed}"
    );
}

#[tokio::test]
async fn listen_rejects_bodies_over_one_mebibyte() {
    let (state, printed) = state(None);
    let address = serve(listen::router(state)).await;
    assert_eq!(
        call(address, &signature(), vec![b'x'; 1024 * 1024 + 1]).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert!(printed.lock().unwrap().contains("refused: "));
}

#[tokio::test]
async fn listen_forwards_exact_bytes_and_returns_upstream_status() {
    let upstream = Receiver::start().await;
    upstream.reply(Reply::Status(503));
    let (state, printed) = state(Some(&upstream.url("/hook")));
    let address = serve(listen::router(state)).await;
    assert_eq!(
        call(address, &signature(), BODY).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let calls = upstream.wait_for(1).await;
    let forwarded = &calls[0];
    assert_eq!(
        (forwarded.path.as_str(), forwarded.body.as_slice()),
        ("/hook", BODY.as_bytes())
    );
    assert_eq!(forwarded.header("content-type"), "application/json");
    let [id, timestamp, signature] =
        ["webhook-id", "webhook-timestamp", "webhook-signature"].map(|name| forwarded.header(name));
    assert_eq!(
        signer::verify(&secret(), id, timestamp, signature, &forwarded.body, NOON),
        Ok(())
    );
    assert_eq!(forwarded.header("x-other"), "");
    assert!(printed.lock().unwrap().contains("503"));
}

#[tokio::test]
async fn listen_forwards_only_verified_calls() {
    let upstream = Receiver::start().await;
    let (state, _) = state(Some(&upstream.url("/")));
    let address = serve(listen::router(state)).await;
    assert_eq!(call(address, "v1,AAAA", BODY).await, StatusCode::BAD_REQUEST);
    assert!(upstream.received().is_empty());
    drop(upstream);
    assert_eq!(call(address, &signature(), BODY).await, StatusCode::BAD_GATEWAY);
}

fn args(api: &Receiver) -> TriggerArgs {
    TriggerArgs {
        event_type: EventType::Chat,
        data: None,
        url: api.url("/").parse().unwrap(),
        api_key: Some("key".to_owned()),
    }
}

#[tokio::test]
async fn trigger_publishes_example_with_api_key() {
    let api = Receiver::start().await;
    api.reply(Reply::full(
        202,
        &[("content-type", "application/json")],
        r#"{"id":"evt_1","type":"chat","timestamp":"2026-11-23T12:00:00.000Z","deliveries":2}"#,
    ));
    let published = trigger(args(&api)).await.unwrap();
    assert_eq!(
        published,
        Published {
            id: "evt_1".to_owned(),
            deliveries: 2
        }
    );
    let calls = api.wait_for(1).await;
    assert_eq!(
        (calls[0].method.as_str(), calls[0].path.as_str()),
        ("POST", "/api/v1/events")
    );
    assert_eq!(calls[0].header("authorization"), "Bearer key");
    let sent: serde_json::Value = serde_json::from_slice(&calls[0].body).unwrap();
    let example: serde_json::Value = serde_json::from_str(EventType::Chat.example()).unwrap();
    assert_eq!(sent, serde_json::json!({ "type": "chat", "data": example }));
}

#[tokio::test]
async fn trigger_errors_say_what_to_do() {
    let api = Receiver::start().await;
    let error = async |args| trigger(args).await.unwrap_err().to_string();

    let no_key = TriggerArgs {
        api_key: Some(" ".to_owned()),
        ..args(&api)
    };
    assert!(error(no_key).await.contains("caleida api-key create"));
    assert!(api.received().is_empty());

    let problem = r#"{"type":"about:blank","title":"Unknown key","status":401,"detail":"Make another."}"#;
    api.reply(Reply::full(
        401,
        &[("content-type", "application/problem+json")],
        problem,
    ));
    assert_eq!(error(args(&api)).await, "Unknown key: Make another.");

    api.reply(Reply::full(200, &[], "<html>"));
    assert!(matches!(
        trigger(args(&api)).await,
        Err(TriggerError::NotThisApi { .. })
    ));

    let gone = args(&api);
    drop(api);
    assert!(error(gone).await.ends_with("Is “caleida serve” running there?"));
}
