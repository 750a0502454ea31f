//! The command line's own HTTP: what `listen` answers and passes on, what `trigger` says to the API.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::Router;
use caleida::{
    cli::{
        listen::{self, Desk, Forward},
        trigger::{Published, TriggerArgs, TriggerError, trigger},
    },
    delivery::{sender::plain_client, signer},
    domain::{Clock, EventType, Secret, Timestamp},
};
use reqwest::StatusCode;
use tokio::net::TcpListener;

use crate::support::receiver::{Answer, Receiver};

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

fn desk(forward: Option<&str>) -> (Desk, Printed) {
    let printed = Printed::default();
    let out = Arc::clone(&printed);
    let desk = Desk {
        secret: secret(),
        forward: forward.map(|url| Forward::to(url.parse().unwrap()).unwrap()),
        clock: Arc::new(AlwaysNoon),
        colour: false,
        print: Box::new(move |text| out.lock().unwrap().push_str(text)),
    };
    (desk, printed)
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
        .header("x-other", "stays here");
    request.body(body).send().await.unwrap().status()
}

fn signature() -> String {
    signer::sign("evt_1", NOON.as_secs(), BODY.as_bytes(), [&secret()])
}

#[tokio::test]
async fn listen_answers_204_to_what_verifies_and_400_to_the_rest_and_prints_both() {
    let (desk, printed) = desk(None);
    let at = serve(listen::router(desk)).await;
    assert_eq!(call(at, &signature(), BODY).await, StatusCode::NO_CONTENT);
    assert_eq!(call(at, &signature(), "{}").await, StatusCode::BAD_REQUEST);
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
async fn listen_refuses_a_body_over_a_mebibyte() {
    let (desk, printed) = desk(None);
    let at = serve(listen::router(desk)).await;
    assert_eq!(
        call(at, &signature(), vec![b'x'; 1024 * 1024 + 1]).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert!(printed.lock().unwrap().contains("refused: "));
}

#[tokio::test]
async fn listen_forwards_the_exact_bytes_and_answers_as_it_was_answered() {
    let program = Receiver::start().await;
    program.answer(Answer::Status(503));
    let (desk, printed) = desk(Some(&program.url("/hook")));
    let at = serve(listen::router(desk)).await;
    assert_eq!(
        call(at, &signature(), BODY).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let calls = program.wait_for(1).await;
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
async fn listen_keeps_what_does_not_verify_and_says_when_nobody_is_there_to_forward_to() {
    let program = Receiver::start().await;
    let (desk, _) = desk(Some(&program.url("/")));
    let at = serve(listen::router(desk)).await;
    assert_eq!(call(at, "v1,AAAA", BODY).await, StatusCode::BAD_REQUEST);
    assert!(program.received().is_empty());
    drop(program);
    assert_eq!(call(at, &signature(), BODY).await, StatusCode::BAD_GATEWAY);
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
async fn trigger_publishes_the_example_with_its_key() {
    let api = Receiver::start().await;
    api.answer(Answer::full(
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
async fn trigger_tells_what_to_do_when_it_fails() {
    let api = Receiver::start().await;
    let told = async |args| trigger(args).await.unwrap_err().to_string();

    let no_key = TriggerArgs {
        api_key: Some(" ".to_owned()),
        ..args(&api)
    };
    assert!(told(no_key).await.contains("caleida api-key create"));
    assert!(api.received().is_empty());

    let problem = r#"{"type":"about:blank","title":"Unknown key","status":401,"detail":"Make another."}"#;
    api.answer(Answer::full(
        401,
        &[("content-type", "application/problem+json")],
        problem,
    ));
    assert_eq!(told(args(&api)).await, "Unknown key: Make another.");

    api.answer(Answer::full(200, &[], "<html>"));
    assert!(matches!(
        trigger(args(&api)).await,
        Err(TriggerError::NotThisApi { .. })
    ));

    let gone = args(&api);
    drop(api);
    assert!(
        told(gone)
            .await
            .ends_with("does not answer: is “caleida serve” running there?")
    );
}
