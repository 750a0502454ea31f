//! The live delivery log.

use std::time::Duration;

use reqwest::{Response, StatusCode, header};
use tokio::time::timeout;

use caleida::domain::Role;

use crate::support::{
    app::{ADMIN, TestApp},
    browser::Browser,
    receiver::Receiver,
};

/// Far longer than any update takes.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

async fn watch(app: &TestApp, path: &str) -> Response {
    watch_as(app, &app.signed_in(ADMIN).await, path).await
}

async fn watch_as(app: &TestApp, browser: &Browser, path: &str) -> Response {
    let request = app.anonymous(reqwest::Method::GET, path);
    let response = request
        .header(header::COOKIE, browser.cookie.clone().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    response
}

/// Reads the stream until it contains the text.
async fn read_until(stream: &mut Response, text: &str) {
    let mut read = String::new();
    while !read.contains(text) {
        let chunk = timeout(WAIT_TIMEOUT, stream.chunk()).await.expect(text).unwrap();
        read.push_str(&String::from_utf8_lossy(&chunk.expect("the stream is open")));
    }
}

#[tokio::test]
async fn live_log_streams_changes_until_shutdown() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let id = webhook["id"].as_str().unwrap();
    let mut all = watch(&app, "/integrations/webhook/deliveries/live").await;
    let mut one_webhook = watch(&app, &format!("/integrations/webhook/{id}/deliveries/live")).await;
    let mut failed = watch(&app, "/integrations/webhook/deliveries/live?status=failed").await;
    for stream in [&mut all, &mut one_webhook] {
        read_until(stream, "No deliveries yet").await;
    }
    read_until(&mut failed, "No matches").await;

    let event = app.publish("chat").await;
    for stream in [&mut all, &mut one_webhook] {
        read_until(stream, event["id"].as_str().unwrap()).await;
    }
    // Open streams do not block the shutdown.
    timeout(WAIT_TIMEOUT, app.stop()).await.unwrap();
    while let Some(rest) = timeout(WAIT_TIMEOUT, failed.chunk()).await.unwrap().unwrap() {
        assert!(!String::from_utf8_lossy(&rest).contains(event["id"].as_str().unwrap()));
    }
}

#[tokio::test]
async fn live_log_ends_with_the_session() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Viewer).await;
    let mut signed_out = app.signed_in(ADMIN).await;
    let disabled = app.signed_in("ada@example.com").await;
    let ended = app.signed_in(ADMIN).await;
    let mut other_browser = app.signed_in(ADMIN).await;
    let path = "/integrations/webhook/deliveries/live";
    let mut streams = [
        watch_as(&app, &signed_out, path).await,
        watch_as(&app, &disabled, path).await,
        watch_as(&app, &ended, path).await,
    ];
    for stream in &mut streams {
        read_until(stream, "No deliveries yet").await;
    }
    assert_eq!(
        signed_out.post("/logout", &[]).await.status,
        StatusCode::SEE_OTHER
    );
    app.disable("ada@example.com").await;
    let end_others = [("do", "end-others")];
    assert_eq!(
        other_browser.post("/settings/account", &end_others).await.status,
        StatusCode::SEE_OTHER
    );
    for mut stream in streams {
        let rest = async { while stream.chunk().await.unwrap().is_some() {} };
        timeout(WAIT_TIMEOUT, rest).await.expect("the stream ends");
    }
}

#[tokio::test]
async fn live_log_requires_sign_in() {
    let app = TestApp::start().await;
    for path in [
        "/integrations/webhook/deliveries/live",
        "/integrations/webhook/wh_1/deliveries/live",
    ] {
        let response = app.anonymous(reqwest::Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
    }
}
