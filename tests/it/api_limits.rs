//! Rate limits, webhook limit and event size limit.

use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::support::app::{Options, TestApp, eventually};

async fn app_with(argument: &str) -> TestApp {
    TestApp::start_with(Options {
        arguments: vec![argument.to_owned()],
        ..Options::default()
    })
    .await
}

/// Repeats the request until it is rate limited.
async fn until_rate_limited(call: impl AsyncFn() -> Response) -> Response {
    eventually(async || {
        let response = call().await;
        (response.status() == StatusCode::TOO_MANY_REQUESTS).then_some(response)
    })
    .await
    .expect("the request is rate limited")
}

async fn assert_rate_limited(response: Response, policy: &str) {
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
async fn rate_limited_key_can_still_publish() {
    let app = app_with("--api-rate-limit=2").await;
    let first = app.call(Method::GET, "/api/v1/webhooks").send().await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    assert_eq!(first.headers()["ratelimit-policy"], r#""calls";q=2;w=1"#);
    assert_eq!(first.headers()["ratelimit"], r#""calls";r=1;t=1"#);
    let limited =
        until_rate_limited(async || app.call(Method::GET, "/api/v1/webhooks").send().await.unwrap()).await;
    assert_rate_limited(limited, r#""calls";q=2;w=1"#).await;

    // The limit affects neither other keys nor publishing.
    let other_key = app.key_with(&["webhooks:read"]).await;
    let request = app
        .anonymous(Method::GET, "/api/v1/webhooks")
        .bearer_auth(other_key);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    for _ in 0..20 {
        app.publish("chat").await;
    }
    let document = app
        .anonymous(Method::GET, "/api/v1/openapi.json")
        .send()
        .await
        .unwrap();
    assert!(!document.headers().contains_key("ratelimit"));
}

#[tokio::test]
async fn event_rate_limit_counts_each_event_of_a_batch() {
    let app = app_with("--event-rate-limit=1").await;
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
    assert_rate_limited(publish().await, r#""events";q=1000;w=1000"#).await;
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
async fn webhook_limit_rejects_new_webhooks() {
    let app = app_with("--max-webhooks=2").await;
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
    assert!(
        page.body
            .contains("This account has reached its limit of webhooks (2)"),
        "{}",
        page.body
    );
    assert!(page.body.contains("third"), "the input is kept");

    let path = format!("/api/v1/webhooks/{}", second["id"].as_str().unwrap());
    assert_eq!(app.delete(&path).await, StatusCode::NO_CONTENT);
    app.post("/api/v1/webhooks", third, StatusCode::CREATED).await;
}

#[tokio::test]
async fn event_size_limit_is_configurable() {
    let app = app_with("--max-event-size=1MiB").await;
    let event = |size: usize| json!({ "type": "chat", "data": { "x": "x".repeat(size) } });
    app.post("/api/v1/events", event(1_000_000), StatusCode::ACCEPTED)
        .await;
    app.post("/api/v1/events", event(1_048_576), StatusCode::PAYLOAD_TOO_LARGE)
        .await;
    let batch = json!({ "events": [event(1_048_576)] });
    app.post("/api/v1/events/batch", batch, StatusCode::PAYLOAD_TOO_LARGE)
        .await;

    let app = app_with("--max-event-size=1KiB").await;
    app.post("/api/v1/events", event(900), StatusCode::ACCEPTED).await;
    app.post("/api/v1/events", event(1_024), StatusCode::PAYLOAD_TOO_LARGE)
        .await;
}

#[test]
fn invalid_limits_prevent_startup() {
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
