//! How much is enough.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::support::app::{Options, TestApp, eventually};

async fn limited(argument: &str) -> TestApp {
    TestApp::start_with(Options {
        arguments: vec![argument.to_owned()],
        ..Options::default()
    })
    .await
}

/// Calls until it is too often.
async fn until_refused(call: impl AsyncFn() -> Response) -> Response {
    eventually(async || {
        let response = call().await;
        (response.status() == StatusCode::TOO_MANY_REQUESTS).then_some(response)
    })
    .await
    .expect("it was never too often")
}

async fn assert_refused(response: Response, policy: &str) {
    let headers = response.headers().clone();
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
    assert_eq!(headers["ratelimit-policy"], policy);
    assert!(headers["ratelimit"].to_str().unwrap().contains(";r=0;"));
    assert!(
        headers[header::RETRY_AFTER]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    assert!(
        response
            .text()
            .await
            .unwrap()
            .contains("urn:caleida:problem:rate-limit")
    );
}

#[tokio::test]
async fn a_key_that_calls_too_often_waits_and_publishes_all_the_same() {
    let app = limited("--api-rate-limit=2").await;
    let first = app.call(Method::GET, "/api/v1/webhooks").send().await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()["ratelimit-policy"], r#""calls";q=2;w=1"#);
    assert_eq!(first.headers()["ratelimit"], r#""calls";r=1;t=1"#);
    let refused =
        until_refused(async || app.call(Method::GET, "/api/v1/webhooks").send().await.unwrap()).await;
    assert_refused(refused, r#""calls";q=2;w=1"#).await;

    // Nobody else waits for it, and it is no limit for events.
    let other = app.key_with(&["webhooks:read"]).await;
    let others = app.anonymous(Method::GET, "/api/v1/webhooks").bearer_auth(other);
    assert_eq!(others.send().await.unwrap().status(), StatusCode::OK);
    for _ in 0..20 {
        app.publish("chat").await;
    }
    let described = app
        .anonymous(Method::GET, "/api/v1/openapi.json")
        .send()
        .await
        .unwrap();
    assert!(!described.headers().contains_key("ratelimit"));
}

#[tokio::test]
async fn an_account_that_publishes_too_much_waits_and_a_batch_counts_its_events() {
    let app = limited("--event-rate-limit=1").await;
    let batch = json!({ "events": vec![json!({ "type": "chat", "data": {} }); 1_000] }).to_string();
    let publish = async || {
        let request = app.call(Method::POST, "/api/v1/events/batch").body(batch.clone());
        request.send().await.unwrap()
    };
    let accepted = publish().await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    assert_eq!(
        accepted.headers()["ratelimit-policy"],
        r#""events";q=1000;w=1000"#
    );
    assert_refused(publish().await, r#""events";q=1000;w=1000"#).await;
    assert_eq!(
        app.call(Method::GET, "/api/v1/webhooks")
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::OK
    );
}

#[tokio::test]
async fn an_account_has_no_more_webhooks_than_it_may() {
    let app = limited("--max-webhooks=2").await;
    app.add_webhook("first", "https://example.com/", &["chat"]).await;
    let second = app.add_webhook("second", "https://example.com/", &["chat"]).await;
    let third = json!({ "name": "third", "url": "https://example.com/", "events": ["chat"] });
    let refused = app
        .post("/api/v1/webhooks", third.clone(), StatusCode::CONFLICT)
        .await;
    assert_eq!(refused["type"], "urn:caleida:problem:full");

    let mut browser = app.signed_in("admin@localhost").await;
    let fields = [
        ("name", "third"),
        ("url", "https://example.com/"),
        ("events", "chat"),
    ];
    let page = browser.post("/integrations/webhook/new", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("This account has 2 webhooks"), "{}", page.body);
    assert!(page.body.contains("third"), "what was typed is lost");

    let path = format!("/api/v1/webhooks/{}", second["id"].as_str().unwrap());
    assert_eq!(app.delete(&path).await, StatusCode::NO_CONTENT);
    app.post("/api/v1/webhooks", third, StatusCode::CREATED).await;
}

#[tokio::test]
async fn an_event_is_as_large_as_it_may_be() {
    let app = limited("--max-event-size=1MiB").await;
    let event = |size: usize| json!({ "type": "chat", "data": { "x": "x".repeat(size) } });
    app.post("/api/v1/events", event(1_000_000), StatusCode::ACCEPTED)
        .await;
    app.post("/api/v1/events", event(1_048_576), StatusCode::PAYLOAD_TOO_LARGE)
        .await;
    let batch = json!({ "events": [event(1_048_576)] });
    app.post("/api/v1/events/batch", batch, StatusCode::PAYLOAD_TOO_LARGE)
        .await;

    let app = limited("--max-event-size=1KiB").await;
    app.post("/api/v1/events", event(900), StatusCode::ACCEPTED).await;
    app.post("/api/v1/events", event(1_024), StatusCode::PAYLOAD_TOO_LARGE)
        .await;
}

#[test]
fn a_limit_that_is_none_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, value) in [
        ("CALEIDA_API_RATE_LIMIT", "0"),
        ("CALEIDA_EVENT_RATE_LIMIT", "fast"),
        ("CALEIDA_MAX_WEBHOOKS", "0"),
        ("CALEIDA_MAX_EVENT_SIZE", "2MiB"),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_caleida"))
            .arg("serve")
            .env(name, value)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}={value}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}
