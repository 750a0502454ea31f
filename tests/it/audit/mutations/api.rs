//! Endpoints of the API.

use serde_json::{Value, json};

use super::{Log, without_exceptions};
use crate::support::{
    app::TestApp,
    receiver::{Receiver, Reply},
};

#[tokio::test]
async fn api_mutations_write_entries() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(500));
    let mut log = Log::of(app.data());
    let _ = log.new_actions().await;
    let webhook = app.add_webhook("Orders", &receiver.url("/"), &["chat"]).await;
    log.expect("POST /api/v1/webhooks", &["webhook.created"]).await;
    app.publish("chat").await;
    let failed = app.wait_for("failed", 1).await;
    let delivery = failed[0]["id"].as_str().unwrap();
    let _running = app.breakpoints.set("advance_recovery");
    let mut recovery = String::new();

    let none = Value::Null;
    let range = json!({ "scope": "failed", "since": "2026-01-01T00:00:00Z" });
    for (method, path, body, action) in [
        (
            "PATCH",
            "/api/v1/webhooks/{id}",
            json!({ "name": "Renamed" }),
            "webhook.updated",
        ),
        (
            "POST",
            "/api/v1/deliveries/{id}/resend",
            none.clone(),
            "delivery.resent",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/recover",
            range,
            "webhook.recovery_started",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/recoveries/{recovery}/cancel",
            none.clone(),
            "webhook.recovery_cancelled",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/pause",
            none.clone(),
            "webhook.paused",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/resume",
            none.clone(),
            "webhook.resumed",
        ),
        // Not a mutation, but revealing a secret is recorded.
        (
            "GET",
            "/api/v1/webhooks/{id}/secret",
            none.clone(),
            "webhook.secret_revealed",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/rotate-secret",
            none.clone(),
            "webhook.secret_rotated",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/test",
            none.clone(),
            "webhook.tested",
        ),
        ("DELETE", "/api/v1/webhooks/{id}", none, "webhook.deleted"),
    ] {
        let id = if path.contains("/deliveries/") {
            delivery
        } else {
            webhook["id"].as_str().unwrap()
        };
        let url = path.replace("{id}", id).replace("{recovery}", &recovery);
        let mut request = app.call(method.parse().unwrap(), &url);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        log.expect(&format!("{method} {path}"), &[action]).await;
        if action == "webhook.recovery_started" {
            let started: Value = serde_json::from_str(&text).unwrap();
            started["id"].as_str().unwrap().clone_into(&mut recovery);
        }
        if action == "delivery.resent" {
            app.wait_for("failed", 1).await;
        }
    }
    assert!(log.covered.remove("GET /api/v1/webhooks/{id}/secret"));

    let document = app.get("/api/v1/openapi.json").await;
    let mut mutations = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            if method != "get" {
                mutations.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    assert!(mutations.len() > 10, "{mutations:?}");
    log.assert_covers(without_exceptions(mutations.into_iter()));
}
