//! The API under `/api/v1`.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    app::{TestApp, eventually},
    receiver::{Receiver, Reply},
};

#[tokio::test]
async fn endpoints_require_key_with_scope() {
    let app = TestApp::start().await;
    let calls = [
        (Method::POST, "/api/v1/events"),
        (Method::POST, "/api/v1/events/batch"),
        (Method::GET, "/api/v1/webhooks"),
        (Method::POST, "/api/v1/webhooks"),
        (Method::GET, "/api/v1/webhooks/wh_1"),
        (Method::PATCH, "/api/v1/webhooks/wh_1"),
        (Method::DELETE, "/api/v1/webhooks/wh_1"),
        (Method::GET, "/api/v1/webhooks/wh_1/secret"),
        (Method::POST, "/api/v1/webhooks/wh_1/rotate-secret"),
        (Method::POST, "/api/v1/webhooks/wh_1/pause"),
        (Method::POST, "/api/v1/webhooks/wh_1/resume"),
        (Method::POST, "/api/v1/webhooks/wh_1/test"),
        (Method::POST, "/api/v1/webhooks/wh_1/recover"),
        (Method::GET, "/api/v1/webhooks/wh_1/recoveries"),
        (Method::POST, "/api/v1/webhooks/wh_1/recoveries/rcv_1/cancel"),
        (Method::GET, "/api/v1/events"),
        (Method::GET, "/api/v1/events/evt_1"),
        (Method::GET, "/api/v1/event-types"),
        (Method::GET, "/api/v1/deliveries"),
        (Method::GET, "/api/v1/deliveries/dlv_1"),
        (Method::POST, "/api/v1/deliveries/dlv_1/resend"),
    ];
    let publisher = app.key_with(&["events:write"]).await;
    let reader = app.key_with(&["webhooks:read"]).await;
    for (method, path) in calls {
        for authorization in ["", "Bearer ", "Bearer ck_wrong", "Basic YTpi"] {
            let request = app
                .anonymous(method.clone(), path)
                .header(header::AUTHORIZATION, authorization);
            let response = request.send().await.unwrap();
            assert_eq!(
                response.status(),
                StatusCode::UNAUTHORIZED,
                "{method} {path} {authorization:?}"
            );
            assert_eq!(
                response.headers()[header::CONTENT_TYPE],
                "application/problem+json"
            );
        }
        let wrong_scope = if path.starts_with("/api/v1/events") && method == Method::POST {
            &reader
        } else {
            &publisher
        };
        let response = app
            .anonymous(method.clone(), path)
            .bearer_auth(wrong_scope)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{method} {path}");
    }
    let reads_secret = app
        .anonymous(Method::GET, "/api/v1/webhooks/wh_1/secret")
        .bearer_auth(&reader);
    assert_eq!(reads_secret.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn webhook_can_be_created_read_updated_and_deleted() {
    let app = TestApp::start().await;
    let created = app
        .add_webhook("orders", "https://example.com/hook", &["chat", "insight.*"])
        .await;
    let id = created["id"].as_str().unwrap();
    assert!(created["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(created["events"].as_array().unwrap().len(), 6);
    let path = format!("/api/v1/webhooks/{id}");

    let shown = app.get(&path).await;
    assert_eq!(
        (shown["name"].as_str(), shown["status"].as_str()),
        (Some("orders"), Some("active"))
    );
    assert!(
        shown.get("secret").is_none(),
        "the secret is returned only on request"
    );
    assert!(
        app.get("/api/v1/webhooks").await["webhooks"][0]
            .get("secret")
            .is_none()
    );
    assert_eq!(
        app.get(&format!("{path}/secret")).await["secret"],
        created["secret"]
    );

    let changed = app
        .patch(&path, json!({ "name": "renamed" }), StatusCode::OK)
        .await;
    assert_eq!(
        (changed["name"].as_str(), changed["version"].as_i64()),
        (Some("renamed"), Some(2))
    );
    assert_eq!(changed["url"], "https://example.com/hook");
    assert_eq!(
        app.get(&format!("{path}/secret")).await["secret"],
        created["secret"]
    );

    assert_eq!(app.delete(&path).await, StatusCode::NO_CONTENT);
    let gone = app.call(Method::GET, &path).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn invalid_fields_are_reported_with_messages() {
    let app = TestApp::start().await;
    let body = json!({ "url": "ftp://example.com", "name": " ", "secret": "short", "events": ["chatt"] });
    let refused = app
        .post("/api/v1/webhooks", body, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    let errors = refused["errors"].as_array().unwrap();
    let message = |field: &str| {
        let error = errors
            .iter()
            .find(|error| error["field"] == field)
            .unwrap_or_else(|| panic!("{field}: {refused}"));
        error["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message("url"), "Enter a URL that starts with https://.");
    assert_eq!(message("name"), "Enter a name for the webhook.");
    assert_eq!(message("secret"), "Use at least 24 characters for the secret.");
    assert!(message("events").contains("chatt"));
    let nothing = app
        .post("/api/v1/webhooks", json!({}), StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(nothing["errors"][2]["message"], "Choose at least one event.");
    for (query, parameter, message) in [
        (
            "limit=1&limit=2",
            "limit",
            "Send the parameter “limit” only once.",
        ),
        (
            "status=active&limit=1&status=paused",
            "status",
            "Send the parameter “status” only once.",
        ),
        (
            "limit=0",
            "limit",
            "The parameter “limit” is invalid: use 1 to 100.",
        ),
    ] {
        let path = format!("/api/v1/webhooks?{query}");
        let response = app.call(Method::GET, &path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        let refused: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let error = &refused["errors"][0];
        assert_eq!(error["field"], parameter, "{query}");
        assert_eq!(error["message"], message, "{query}");
    }
}

#[tokio::test]
async fn taken_name_returns_409_and_stale_version_412() {
    let app = TestApp::start().await;
    app.add_webhook("orders", "https://example.com/", &["chat"]).await;
    let other = app.add_webhook("other", "https://example.com/", &["chat"]).await;
    let body = json!({ "name": "orders", "url": "https://example.com/", "events": ["chat"] });
    let taken = app.post("/api/v1/webhooks", body, StatusCode::CONFLICT).await;
    assert_eq!(taken["detail"], "A webhook named “orders” already exists.");

    let path = format!("/api/v1/webhooks/{}", other["id"].as_str().unwrap());
    app.patch(&path, json!({ "name": "orders" }), StatusCode::CONFLICT)
        .await;
    app.patch(&path, json!({ "name": "second", "version": 1 }), StatusCode::OK)
        .await;
    app.patch(
        &path,
        json!({ "name": "third", "version": 1 }),
        StatusCode::PRECONDITION_FAILED,
    )
    .await;
    let tagged = app
        .call(Method::PATCH, &path)
        .header(header::IF_MATCH, "\"1\"")
        .body(r#"{"name":"third"}"#);
    assert_eq!(
        tagged.send().await.unwrap().status(),
        StatusCode::PRECONDITION_FAILED
    );
    let old = app.call(Method::DELETE, &path).header(header::IF_MATCH, "\"1\"");
    assert_eq!(
        old.send().await.unwrap().status(),
        StatusCode::PRECONDITION_FAILED
    );
    for (tag, body) in [
        ("2", r#"{"name":"third"}"#),
        ("", r#"{"name":"third"}"#),
        ("\"1\"", r#"{"name":"third","version":2}"#),
    ] {
        let invalid = app.call(Method::PATCH, &path).header(header::IF_MATCH, tag);
        let status = invalid.body(body).send().await.unwrap().status();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{tag} {body}");
    }
    let tagged = app
        .call(Method::PATCH, &path)
        .header(header::IF_MATCH, "W/\"2\"")
        .body(r#"{"name":"third"}"#);
    let response = tagged.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::ETAG], "\"3\"");
}

#[tokio::test]
async fn accounts_are_isolated() {
    let app = TestApp::start().await;
    let webhook = app.add_webhook("ours", "https://example.com/", &["chat"]).await;
    app.publish("chat").await;
    let delivery = app.deliveries("").await.remove(0);
    let range = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
    let recover = format!("/api/v1/webhooks/{}/recover", webhook["id"].as_str().unwrap());
    let started = app.post(&recover, range.clone(), StatusCode::ACCEPTED).await;
    let recovery = started["id"].as_str().unwrap();
    let other_key = app.key_of_another_account().await;
    let id = webhook["id"].as_str().unwrap();
    for (method, path) in [
        (Method::GET, format!("/api/v1/webhooks/{id}")),
        (Method::PATCH, format!("/api/v1/webhooks/{id}")),
        (Method::DELETE, format!("/api/v1/webhooks/{id}")),
        (Method::GET, format!("/api/v1/webhooks/{id}/secret")),
        (Method::POST, format!("/api/v1/webhooks/{id}/rotate-secret")),
        (Method::POST, format!("/api/v1/webhooks/{id}/pause")),
        (Method::POST, format!("/api/v1/webhooks/{id}/resume")),
        (Method::POST, format!("/api/v1/webhooks/{id}/test")),
        (Method::GET, format!("/api/v1/webhooks/{id}/recoveries")),
        (
            Method::POST,
            format!("/api/v1/webhooks/{id}/recoveries/{recovery}/cancel"),
        ),
        (
            Method::GET,
            format!("/api/v1/events/{}", delivery["event_id"].as_str().unwrap()),
        ),
        (
            Method::GET,
            format!("/api/v1/deliveries/{}", delivery["id"].as_str().unwrap()),
        ),
        (
            Method::POST,
            format!("/api/v1/deliveries/{}/resend", delivery["id"].as_str().unwrap()),
        ),
    ] {
        let response = app
            .anonymous(method.clone(), &path)
            .bearer_auth(&other_key)
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{method} {path}");
    }
    let request = app.anonymous(Method::POST, &recover).bearer_auth(&other_key);
    let response = request.body(range.to_string()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    for path in ["/api/v1/webhooks", "/api/v1/deliveries", "/api/v1/events"] {
        let text = app
            .anonymous(Method::GET, path)
            .bearer_auth(&other_key)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(!text.contains("wh_"), "{text}");
    }
    // An event of the other account reaches only webhooks of that account.
    let event = app
        .anonymous(Method::POST, "/api/v1/events")
        .bearer_auth(&other_key)
        .body(r#"{"type":"chat","data":{}}"#);
    assert!(
        event
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
            .contains(r#""deliveries":0"#)
    );
}

#[tokio::test]
async fn health_needs_no_key_and_unknown_endpoints_return_problems() {
    let app = TestApp::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            app.anonymous(Method::GET, path).send().await.unwrap().status(),
            StatusCode::OK
        );
    }
    for (method, path, status) in [
        (Method::GET, "/api/v1/nonsense", StatusCode::NOT_FOUND),
        (Method::PUT, "/api/v1/webhooks", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let response = app.call(method, path).send().await.unwrap();
        assert_eq!(response.status(), status);
        assert_eq!(
            response.headers()[header::CONTENT_TYPE],
            "application/problem+json"
        );
    }
}

#[tokio::test]
async fn test_events_reach_paused_webhooks_and_are_rate_limited() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("orders", &receiver.url("/hook"), &["chat"]).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    app.post(&format!("{path}/pause"), json!({}), StatusCode::OK)
        .await;

    let body = json!({ "type": "insight.topic" });
    let test = app.post(&format!("{path}/test"), body, StatusCode::OK).await;
    assert_eq!(
        (test["succeeded"].as_bool(), test["result"].as_str()),
        (Some(true), Some("200"))
    );
    assert!(test["timings_ms"]["total"].as_f64().unwrap() > 0.0);
    let call = receiver.wait_for(1).await.remove(0);
    assert!(call.is_signed_with(webhook["secret"].as_str().unwrap()));
    assert!(call.header("webhook-id").starts_with("test_"));
    assert_eq!(call.body, test["request_body"].as_str().unwrap().as_bytes());
    assert!(call.body.starts_with(br#"{"type":"insight.topic","#));

    receiver.reply(Reply::Status(404));
    let test = app.post(&format!("{path}/test"), json!({}), StatusCode::OK).await;
    assert_eq!(
        (test["succeeded"].as_bool(), test["status_code"].as_u64()),
        (Some(false), Some(404))
    );
    assert!(test["remedy"].as_str().unwrap().contains("path"));
    // A test event is not a delivery and does not affect the status.
    assert_eq!(app.get("/api/v1/deliveries").await["deliveries"], json!([]));
    assert_eq!(app.get(&path).await["status"], "paused");

    for _ in 2..6 {
        app.post(&format!("{path}/test"), json!({}), StatusCode::OK).await;
    }
    let refused = app
        .post(&format!("{path}/test"), json!({}), StatusCode::TOO_MANY_REQUESTS)
        .await;
    assert!(refused["detail"].as_str().unwrap().contains("6 tests per minute"));
    assert_eq!(receiver.received().len(), 6);

    assert_eq!(app.delete(&path).await, StatusCode::NO_CONTENT);
    app.post(&format!("{path}/test"), json!({}), StatusCode::NOT_FOUND)
        .await;
    assert_eq!(receiver.received().len(), 6);
}

#[tokio::test]
async fn events_are_listed_with_outcomes_and_can_be_resent() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    app.add_webhook("orders", &receiver.url("/hook"), &["chat"]).await;
    app.add_webhook("others", &receiver.url("/hook"), &["message"])
        .await;
    let chat = app.publish("chat").await;
    app.publish("insight.key").await;
    receiver.wait_for(1).await;

    let listed = app.get("/api/v1/events").await;
    assert_eq!(listed["events"].as_array().unwrap().len(), 2);
    let unsent = app.get("/api/v1/events?unsent=true&type=insight.key").await;
    assert_eq!(unsent["events"].as_array().unwrap().len(), 1);
    assert_eq!(unsent["events"][0]["deliveries"], 0);
    let later = app.get("/api/v1/events?since=2100-01-01T00:00:00Z").await;
    assert_eq!(later["events"], json!([]));
    for query in ["since=yesterday", "cursor=evt_1", "type=chats"] {
        let refused = app
            .call(Method::GET, &format!("/api/v1/events?{query}"))
            .send()
            .await;
        let status = refused.unwrap().status();
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
    }

    let event = app
        .get(&format!("/api/v1/events/{}", chat["id"].as_str().unwrap()))
        .await;
    assert_eq!(event["not_sent"][0]["reason"], "not_subscribed");
    assert_eq!(event["body"]["type"], "chat");
    let id = event["delivery_log"][0]["id"].as_str().unwrap();
    // A resend requires that the first attempt is recorded.
    eventually(|| async {
        let delivery = app.get(&format!("/api/v1/deliveries/{id}")).await;
        (delivery["status"] == "delivered").then_some(())
    })
    .await
    .unwrap();
    let again = app
        .post(
            &format!("/api/v1/deliveries/{id}/resend"),
            json!({}),
            StatusCode::ACCEPTED,
        )
        .await;
    assert_eq!(again["id"], id);
    let calls = receiver.wait_for(2).await;
    assert_eq!(calls[0].body, calls[1].body);
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
}

#[tokio::test]
async fn catalog_has_schema_and_valid_example_per_type() {
    let app = TestApp::start().await;
    let catalog = app.get("/api/v1/event-types").await;
    let types = catalog["event_types"].as_array().unwrap();
    assert_eq!(types.len(), 7);
    for event_type in types {
        assert_eq!(event_type["example"]["type"], event_type["type"]);
        assert!(jsonschema::is_valid(
            &event_type["schema"],
            &event_type["example"]
        ));
    }
    // An example can be published unchanged.
    let example = &types[0]["example"];
    let event = json!({ "type": example["type"], "data": example["data"] });
    app.post("/api/v1/events", event, StatusCode::ACCEPTED).await;
}
