//! Scopes: every operation of the OpenAPI document, with every kind of key.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::app::TestApp;

const PUBLISH: &str = "events:write";
const READ: &str = "webhooks:read";
const WRITE: &str = "webhooks:write";
const AUDIT: &str = "audit:read";

/// Method, path and scope of every operation, maintained by hand so that a change of access fails a test.
const CALLS: [(&str, &str, &str); 27] = [
    ("POST", "/api/v1/events", PUBLISH),
    ("POST", "/api/v1/events/batch", PUBLISH),
    ("GET", "/api/v1/events", READ),
    ("GET", "/api/v1/events/{id}", READ),
    ("GET", "/api/v1/event-types", READ),
    ("GET", "/api/v1/webhooks", READ),
    ("POST", "/api/v1/webhooks", WRITE),
    ("POST", "/api/v1/webhooks/url-advice", WRITE),
    ("POST", "/api/v1/webhooks/preview-filter", WRITE),
    ("GET", "/api/v1/webhooks/{id}", READ),
    ("PATCH", "/api/v1/webhooks/{id}", WRITE),
    ("DELETE", "/api/v1/webhooks/{id}", WRITE),
    ("GET", "/api/v1/webhooks/{id}/secret", WRITE),
    ("POST", "/api/v1/webhooks/{id}/rotate-secret", WRITE),
    ("POST", "/api/v1/webhooks/{id}/pause", WRITE),
    ("POST", "/api/v1/webhooks/{id}/resume", WRITE),
    ("POST", "/api/v1/webhooks/{id}/test", WRITE),
    ("GET", "/api/v1/webhooks/{id}/statistics", READ),
    ("GET", "/api/v1/webhooks/{id}/recover", READ),
    ("POST", "/api/v1/webhooks/{id}/recover", WRITE),
    ("GET", "/api/v1/webhooks/{id}/recoveries", READ),
    ("GET", "/api/v1/webhooks/{id}/recoveries/{recovery}", READ),
    (
        "POST",
        "/api/v1/webhooks/{id}/recoveries/{recovery}/cancel",
        WRITE,
    ),
    ("GET", "/api/v1/deliveries", READ),
    ("GET", "/api/v1/deliveries/{id}", READ),
    ("POST", "/api/v1/deliveries/{id}/resend", WRITE),
    ("GET", "/api/v1/audit-log", AUDIT),
];

/// Operations that need no key.
const OPEN: [(&str, &str); 1] = [("GET", "/api/v1/openapi.json")];

/// Returns query and body of a valid request, so that only the key can make it fail.
fn valid_input(method: &str, path: &str) -> (&'static str, Value) {
    let recovery = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
    match (method, path.rsplit('/').next().unwrap()) {
        ("GET", "recover") => ("?scope=missed&since=2026-01-01T00:00:00Z", Value::Null),
        ("POST", "recover") => ("", recovery),
        _ => ("", json!({})),
    }
}

async fn send(app: &TestApp, key: Option<&str>, method: &str, path: &str) -> (StatusCode, String) {
    let (query, body) = valid_input(method, path);
    let mut request = app.anonymous(method.parse::<Method>().unwrap(), &format!("{path}{query}"));
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if method != "GET" {
        request = request.body(body.to_string());
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    if !status.is_success() {
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json",
            "{method} {path}"
        );
    }
    (status, response.text().await.unwrap())
}

#[tokio::test]
async fn openapi_scopes_match_this_table() {
    let app = TestApp::start().await;
    let (_, text) = send(&app, None, "GET", "/api/v1/openapi.json").await;
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut described = BTreeMap::new();
    for (path, calls) in document["paths"].as_object().unwrap() {
        for (method, call) in calls.as_object().unwrap() {
            let scope = call["security"][0]["bearer"][0].as_str().map(str::to_owned);
            described.insert((method.to_uppercase(), path.clone()), scope);
        }
    }
    let known = CALLS
        .into_iter()
        .map(|(method, path, scope)| ((method.to_owned(), path.to_owned()), Some(scope.to_owned())));
    let open = OPEN.map(|(method, path)| ((method.to_owned(), path.to_owned()), None));
    assert_eq!(described, known.chain(open).collect());
}

#[tokio::test]
async fn endpoints_accept_only_their_scope() {
    let app = TestApp::start().await;
    let mut keys = Vec::new();
    for scope in [PUBLISH, READ, WRITE, AUDIT] {
        keys.push((scope, app.key_with(&[scope]).await));
    }
    for (method, path, needed) in CALLS {
        // Well-formed IDs that do not exist.
        let path = path.replace("{recovery}", "rcv_1");
        let path = match path.split('/').nth(3).unwrap() {
            "deliveries" => path.replace("{id}", "dlv_1"),
            "events" => path.replace("{id}", "evt_1"),
            _ => path.replace("{id}", "wh_1"),
        };
        for key in [None, Some(""), Some("ck_wrong")] {
            let (status, text) = send(&app, key, method, &path).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {key:?}");
            assert!(text.contains("urn:caleida:problem:key"), "{text}");
        }
        for (scope, key) in &keys {
            let (status, text) = send(&app, Some(key), method, &path).await;
            if *scope == needed {
                assert!(
                    !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
                    "{method} {path} {scope}: {status} {text}"
                );
            } else {
                assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} {scope}");
                assert!(text.contains(needed), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn resources_of_other_accounts_look_missing() {
    let app = TestApp::start().await;
    let webhook = app.add_webhook("ours", "https://example.com/", &["chat"]).await;
    app.publish("chat").await;
    let delivery = app.deliveries("").await.remove(0);
    let id = webhook["id"].as_str().unwrap();
    let range = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
    let recover = format!("/api/v1/webhooks/{id}/recover");
    let recovery = app.post(&recover, range, StatusCode::ACCEPTED).await;
    let other_key = app.key_of_another_account().await;
    let mut checked = 0;
    for (method, path, _) in CALLS.into_iter().filter(|(_, path, _)| path.contains('{')) {
        let path_with = |webhook: &str, event: &str, delivery: &str, recovery: &str| {
            let path = path.replace("{recovery}", recovery);
            match path.split('/').nth(3).unwrap() {
                "deliveries" => path.replace("{id}", delivery),
                "events" => path.replace("{id}", event),
                _ => path.replace("{id}", webhook),
            }
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let existing = path_with(
            id,
            &text(&delivery["event_id"]),
            &text(&delivery["id"]),
            &text(&recovery["id"]),
        );
        let missing = path_with("wh_1", "evt_1", "dlv_1", "rcv_1");
        let malformed = path_with("x.", "x.", "x.", "x.");
        let unknown = send(&app, Some(&other_key), method, &missing).await;
        assert_eq!(unknown.0, StatusCode::NOT_FOUND, "{method} {path}");
        assert_eq!(
            send(&app, Some(&other_key), method, &existing).await,
            unknown,
            "{method} {path}"
        );
        assert_eq!(
            send(&app, Some(&other_key), method, &malformed).await,
            unknown,
            "{method} {path}"
        );
        checked += 1;
    }
    assert_eq!(checked, 17);
    // The webhook is unchanged.
    let after = app.get(&format!("/api/v1/webhooks/{id}")).await;
    for field in ["name", "version", "updated_at"] {
        assert_eq!(after[field], webhook[field]);
    }
}
