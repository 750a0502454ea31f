//! Who may make which call: every call of the description, with every kind of key.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::app::TestApp;

const PUBLISH: &str = "events:write";
const READ: &str = "webhooks:read";
const WRITE: &str = "webhooks:write";
const AUDIT: &str = "audit:read";

/// By hand: a call that is not here fails the test, and so does a scope that is another one.
const CALLS: [(&str, &str, &str); 26] = [
    ("POST", "/api/v1/events", PUBLISH),
    ("POST", "/api/v1/events/batch", PUBLISH),
    ("GET", "/api/v1/events", READ),
    ("GET", "/api/v1/events/{id}", READ),
    ("GET", "/api/v1/event-types", READ),
    ("GET", "/api/v1/webhooks", READ),
    ("POST", "/api/v1/webhooks", WRITE),
    ("POST", "/api/v1/webhooks/url-advice", WRITE),
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

/// What may be asked for without a key.
const OPEN: [(&str, &str); 1] = [("GET", "/api/v1/openapi.json")];

/// What a call needs to be understood, so that it is refused for its key alone.
fn complete(method: &str, path: &str) -> (&'static str, Value) {
    let recovery = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
    match (method, path.rsplit('/').next().unwrap()) {
        ("GET", "recover") => ("?scope=missed&since=2026-01-01T00:00:00Z", Value::Null),
        ("POST", "recover") => ("", recovery),
        _ => ("", json!({})),
    }
}

async fn answer(app: &TestApp, key: Option<&str>, method: &str, path: &str) -> (StatusCode, String) {
    let (query, body) = complete(method, path);
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
async fn the_description_names_the_scopes_that_are_known_here() {
    let app = TestApp::start().await;
    let (_, text) = answer(&app, None, "GET", "/api/v1/openapi.json").await;
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
async fn every_call_takes_the_key_with_its_scope_and_no_other() {
    let app = TestApp::start().await;
    let mut keys = Vec::new();
    for scope in [PUBLISH, READ, WRITE, AUDIT] {
        keys.push((scope, app.key_with(&[scope]).await));
    }
    for (method, path, needed) in CALLS {
        // The ids are well formed, and nobody's.
        let path = path.replace("{recovery}", "rcv_1");
        let path = match path.split('/').nth(3).unwrap() {
            "deliveries" => path.replace("{id}", "dlv_1"),
            "events" => path.replace("{id}", "evt_1"),
            _ => path.replace("{id}", "wh_1"),
        };
        for key in [None, Some(""), Some("ck_wrong")] {
            let (status, text) = answer(&app, key, method, &path).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} {key:?}");
            assert!(text.contains("urn:caleida:problem:key"), "{text}");
        }
        for (scope, key) in &keys {
            let (status, text) = answer(&app, Some(key), method, &path).await;
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
async fn what_is_anothers_is_answered_like_what_does_not_exist() {
    let app = TestApp::start().await;
    let webhook = app.add_webhook("ours", "https://example.com/", &["chat"]).await;
    app.publish("chat").await;
    let delivery = app.deliveries("").await.remove(0);
    let id = webhook["id"].as_str().unwrap();
    let wanted = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
    let recover = format!("/api/v1/webhooks/{id}/recover");
    let recovery = app.post(&recover, wanted, StatusCode::ACCEPTED).await;
    let theirs = app.key_of_another_account().await;
    let mut looked_at = 0;
    for (method, path, _) in CALLS.into_iter().filter(|(_, path, _)| path.contains('{')) {
        let with = |webhook: &str, event: &str, delivery: &str, recovery: &str| {
            let path = path.replace("{recovery}", recovery);
            match path.split('/').nth(3).unwrap() {
                "deliveries" => path.replace("{id}", delivery),
                "events" => path.replace("{id}", event),
                _ => path.replace("{id}", webhook),
            }
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let ours = with(
            id,
            &text(&delivery["event_id"]),
            &text(&delivery["id"]),
            &text(&recovery["id"]),
        );
        let nobodys = with("wh_1", "evt_1", "dlv_1", "rcv_1");
        let nonsense = with("x.", "x.", "x.", "x.");
        let unknown = answer(&app, Some(&theirs), method, &nobodys).await;
        assert_eq!(unknown.0, StatusCode::NOT_FOUND, "{method} {path}");
        assert_eq!(
            answer(&app, Some(&theirs), method, &ours).await,
            unknown,
            "{method} {path}"
        );
        assert_eq!(
            answer(&app, Some(&theirs), method, &nonsense).await,
            unknown,
            "{method} {path}"
        );
        looked_at += 1;
    }
    assert_eq!(looked_at, 17);
    // Nothing of it was done.
    let after = app.get(&format!("/api/v1/webhooks/{id}")).await;
    for field in ["name", "version", "updated_at"] {
        assert_eq!(after[field], webhook[field]);
    }
}
