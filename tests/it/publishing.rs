//! Publishing events: idempotency, atomic batches, and rejected events.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::app::TestApp;

#[tokio::test]
async fn repeated_publish_returns_first_response() {
    let app = TestApp::start().await;
    let event = json!({ "type": "chat", "id": "a", "data": { "n": 1 } });
    let first = app
        .post("/api/v1/events", event.clone(), StatusCode::ACCEPTED)
        .await;
    let again = app.post("/api/v1/events", event, StatusCode::OK).await;
    assert_eq!(first, again);
    let other = json!({ "type": "chat", "id": "a", "data": { "n": 2 } });
    app.post("/api/v1/events", other, StatusCode::CONFLICT).await;

    let keyed = |n: u32| {
        let body = json!({ "type": "chat", "data": { "n": n } }).to_string();
        app.call(Method::POST, "/api/v1/events")
            .header("idempotency-key", "k")
            .body(body)
    };
    let first: Value = serde_json::from_str(&keyed(1).send().await.unwrap().text().await.unwrap()).unwrap();
    let again = keyed(1).send().await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    assert_eq!(
        serde_json::from_str::<Value>(&again.text().await.unwrap()).unwrap(),
        first
    );
    let conflict = keyed(2).send().await.unwrap();
    assert_eq!(conflict.status(), StatusCode::CONFLICT);
    let conflict = conflict.text().await.unwrap();
    assert!(
        conflict.contains(first["id"].as_str().unwrap()),
        "it names the first event: {conflict}"
    );
}

#[tokio::test]
async fn batch_is_accepted_whole_or_not_at_all() {
    let app = TestApp::start().await;
    let good = json!({ "type": "chat", "id": "good", "data": {} });
    let bad = json!({ "events": [good, { "type": "nonsense", "data": {} }] });
    let refused = app
        .post("/api/v1/events/batch", bad, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(refused["errors"][0]["field"], "events[1].type");
    let accepted = app
        .post(
            "/api/v1/events/batch",
            json!({ "events": [good] }),
            StatusCode::ACCEPTED,
        )
        .await;
    assert_eq!(accepted["events"][0]["id"], "good");
    for events in [
        json!([]),
        Value::Array(vec![json!({ "type": "chat", "data": {} }); 1_001]),
    ] {
        app.post(
            "/api/v1/events/batch",
            json!({ "events": events }),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await;
    }
}

#[tokio::test]
async fn invalid_events_are_rejected_with_reason() {
    let app = TestApp::start().await;
    let too_large = "x".repeat(256 * 1024);
    for (body, status) in [
        (r#"{"type":"chat"#.to_owned(), StatusCode::BAD_REQUEST),
        (r#"{"data":{}}"#.to_owned(), StatusCode::BAD_REQUEST),
        (r#"{"type":"chat"}"#.to_owned(), StatusCode::BAD_REQUEST),
        (
            r#"{"type":"chat","data":{},"tpye":1}"#.to_owned(),
            StatusCode::BAD_REQUEST,
        ),
        (
            r#"{"type":"chat","data":[]}"#.to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"type":"chat","data":{},"id":"a.b"}"#.to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            r#"{"type":"chat","data":{},"timestamp":"now"}"#.to_owned(),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            format!(r#"{{"type":"chat","data":{{"x":"{too_large}"}}}}"#),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
    ] {
        let response = app
            .call(Method::POST, "/api/v1/events")
            .body(body.clone())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), status, "{}", &body[..body.len().min(80)]);
        let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(problem["status"], status.as_u16());
        assert!(problem["detail"].as_str().unwrap().len() > 10);
    }
}

#[tokio::test]
async fn idempotency_key_covers_whole_batch() {
    let app = TestApp::start().await;
    let event = |n: u32| json!({ "type": "chat", "data": { "n": n } });
    let publish = async |key: &str, events: &[Value]| {
        let call = app.call(Method::POST, "/api/v1/events/batch");
        let body = json!({ "events": events }).to_string();
        let response = call.header("idempotency-key", key).body(body).send().await;
        response.unwrap().status()
    };
    let two = [event(1), event(2)];
    assert_eq!(publish("k", &two).await, StatusCode::ACCEPTED);
    assert_eq!(publish("k", &two).await, StatusCode::OK);
    for other in [
        &[event(1)][..],
        &[event(1), event(2), event(3)],
        &[event(1), event(3)],
    ] {
        assert_eq!(publish("k", other).await, StatusCode::CONFLICT, "{other:?}");
    }
    // A single event with a similar key is a different request. Keys must not contain spaces.
    for (key, expected) in [
        ("k/0", StatusCode::ACCEPTED),
        ("k 0", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let call = app
            .call(Method::POST, "/api/v1/events")
            .header("idempotency-key", key);
        let response = call.body(event(1).to_string()).send().await.unwrap();
        assert_eq!(response.status(), expected, "{key}");
    }
    assert_eq!(
        app.get("/api/v1/events").await["events"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn lone_surrogates_are_rejected_with_their_place() {
    let app = TestApp::start().await;
    let publish = async |path: &str, body: String| {
        let response = app.call(Method::POST, path).body(body).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    };
    for (data, pointer) in [
        (r#"{"text":"cut \ud83d"}"#, "/text"),
        (
            r#"{"messages":[{"text":"ok"},{"text":"\uDE00"}]}"#,
            "/messages/1/text",
        ),
        (r#"{"tags":{"a\udbff":true}}"#, r"/tags/a\udbff"),
    ] {
        let body = format!(r#"{{"type":"chat","data":{data}}}"#);
        let (status, problem) = publish("/api/v1/events", body.clone()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{data}");
        let problem: Value = serde_json::from_str(&problem).unwrap();
        assert_eq!(problem["errors"][0]["field"], "data");
        let message = problem["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains(&format!(" at {pointer} contains")), "{message}");

        let good = r#"{"type":"chat","data":{}}"#;
        let batch = format!(r#"{{"events":[{good},{body}]}}"#);
        let (status, problem) = publish("/api/v1/events/batch", batch).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{data}");
        assert!(problem.contains(r#""field":"events[1].data""#), "{problem}");
    }
    let events = app.get("/api/v1/events").await;
    assert_eq!(events["events"], json!([]));
}

#[tokio::test]
async fn numbers_and_repeated_names_are_passed_on_unchanged() {
    let app = TestApp::start().await;
    let data = r#"{"n":1e999,"n":-12345678901234567890.10,"text":"\ud83d\ude00"}"#;
    let body = format!(r#"{{"type":"chat","id":"exact","data":{data}}}"#);
    let response = app
        .call(Method::POST, "/api/v1/events")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let event = app
        .call(Method::GET, "/api/v1/events/exact")
        .send()
        .await
        .unwrap();
    let event = event.text().await.unwrap();
    assert!(event.contains(data), "{event}");
}
