//! Promises that hold for every endpoint of the API: problems for errors, pagination for lists.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{app::TestApp, receiver::Receiver};

async fn problem(request: reqwest::RequestBuilder) -> (StatusCode, header::HeaderMap, Value) {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.unwrap();
    assert_eq!(
        headers[header::CONTENT_TYPE],
        "application/problem+json",
        "{text}"
    );
    let problem: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(problem["status"], status.as_u16());
    (status, headers, problem)
}

#[tokio::test]
async fn invalid_requests_return_problems() {
    let app = TestApp::start().await;
    for (method, path, status) in [
        (Method::GET, "/api/v1", StatusCode::NOT_FOUND),
        (Method::GET, "/api/v1/", StatusCode::NOT_FOUND),
        (Method::GET, "/api/v2/webhooks", StatusCode::NOT_FOUND),
        (Method::POST, "/api/v1/nonsense/x", StatusCode::NOT_FOUND),
        (Method::GET, "/api/v1/webhooks/%ff", StatusCode::NOT_FOUND),
        (Method::GET, "/api/v1/webhooks/nonsense", StatusCode::NOT_FOUND),
        (
            Method::GET,
            "/api/v1/webhooks?limit=0",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            Method::GET,
            "/api/v1/webhooks?limit=101",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            Method::GET,
            "/api/v1/webhooks?cursor=2",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            Method::GET,
            "/api/v1/webhooks?status=%ff",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            Method::GET,
            "/api/v1/webhooks?stauts=active",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            Method::GET,
            "/api/v1/deliveries?since=now",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            Method::GET,
            "/api/v1/events?unsent=perhaps",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            Method::GET,
            "/api/v1/events?cursor=x",
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
    ] {
        let (returned, _, _) = problem(app.call(method.clone(), path)).await;
        assert_eq!(returned, status, "{method} {path}");
    }
    for body in ["{", "[]", "\u{0}", r#"{"name":1}"#] {
        let request = app.call(Method::POST, "/api/v1/webhooks").body(body);
        assert_eq!(problem(request).await.0, StatusCode::BAD_REQUEST, "{body:?}");
    }
    let huge = vec![b' '; 256 * 1024 + 1];
    let request = app.call(Method::POST, "/api/v1/webhooks").body(huge);
    assert_eq!(problem(request).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let xml = app
        .call(Method::POST, "/api/v1/webhooks")
        .header(header::CONTENT_TYPE, "application/xml")
        .body("<webhook/>");
    assert_eq!(problem(xml).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn invalid_query_parameter_is_named() {
    let app = TestApp::start().await;
    for (query, field) in [
        ("since=now", "since"),
        ("limit=many", "limit"),
        ("webook=wh_1", "webook"),
        ("type=chats", "type"),
    ] {
        let request = app.call(Method::GET, &format!("/api/v1/deliveries?{query}"));
        let (_, _, problem) = problem(request).await;
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    let missing = app.call(
        Method::GET,
        "/api/v1/webhooks/wh_00000000000000000000000000000001/recover?since=2026-01-01T00:00:00Z",
    );
    let (_, _, problem) = problem(missing).await;
    assert_eq!(problem["errors"][0]["field"], "scope", "{problem}");
}

#[tokio::test]
async fn allow_header_lists_supported_methods() {
    let app = TestApp::start().await;
    let (status, headers, _) = problem(app.call(Method::PUT, "/api/v1/webhooks")).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    for method in ["GET", "HEAD", "POST"] {
        assert!(headers[header::ALLOW].to_str().unwrap().contains(method));
    }
    let options = app.call(Method::OPTIONS, "/api/v1/events").send().await.unwrap();
    assert_eq!(options.status(), StatusCode::NO_CONTENT);
    let allowed = options.headers()[header::ALLOW].to_str().unwrap();
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
    let head = app.call(Method::HEAD, "/api/v1/webhooks").send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.text().await.unwrap(), "");
}

/// Reads all pages of a list and returns the IDs of its entries.
async fn all_ids(app: &TestApp, path: &str, list: &str) -> Vec<String> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{path}?limit=2{cursor}")).await;
        let entries = page[list].as_array().unwrap();
        assert!(entries.len() <= 2);
        ids.extend(
            entries
                .iter()
                .map(|entry| entry["id"].as_str().unwrap().to_owned()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return ids,
        }
        assert!(ids.len() <= 20, "the pages do not end");
    }
}

#[tokio::test]
async fn lists_can_be_paged_to_the_end() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    for n in 0..5 {
        app.add_webhook(&format!("w{n}"), &receiver.url("/"), &["chat"])
            .await;
    }
    app.publish("chat").await;
    for _ in 0..4 {
        app.publish("message").await;
    }
    let webhooks = all_ids(&app, "/api/v1/webhooks", "webhooks").await;
    let path = format!("/api/v1/webhooks/{}", webhooks[0]);
    for _ in 0..3 {
        let range = json!({ "scope": "failed", "since": "2026-01-01T00:00:00Z" });
        let started = app
            .post(&format!("{path}/recover"), range, StatusCode::ACCEPTED)
            .await;
        let recovery = format!("{path}/recoveries/{}", started["id"].as_str().unwrap());
        // The recovery may already be complete, so the status is not checked.
        app.call(Method::POST, &format!("{recovery}/cancel"))
            .send()
            .await
            .unwrap();
        assert_ne!(app.get(&recovery).await["state"], "running");
    }
    for (path, list, count) in [
        ("/api/v1/webhooks", "webhooks", 5),
        ("/api/v1/events", "events", 5),
        ("/api/v1/deliveries", "deliveries", 5),
        (&*format!("{path}/recoveries"), "recoveries", 3),
    ] {
        let mut ids = all_ids(&app, path, list).await;
        assert_eq!(ids.len(), count, "{path}: {ids:?}");
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{path} has duplicates");
    }
    assert_eq!(app.get("/api/v1/webhooks?limit=2&search=w4").await["total"], 1);
}

#[tokio::test]
async fn api_returns_webhook_health_previews_and_advice() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    app.publish("chat").await;
    app.wait_for("delivered", 1).await;

    let statistics = app.get(&format!("{path}/statistics?hours=720")).await;
    assert_eq!(
        (&statistics["succeeded"], &statistics["failed"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(statistics["by_hour"][0]["succeeded"], 1);
    assert!(statistics["p95_ms"].is_u64());
    let shown = app.get(&path).await;
    assert_eq!(shown["last_attempt"]["succeeded"], true);
    let updated_by = shown["updated_by"].as_str().unwrap();
    assert!(updated_by.starts_with("API key “tests "), "{updated_by}");

    app.post(&format!("{path}/pause"), json!({}), StatusCode::OK)
        .await;
    app.publish("chat").await;
    assert_eq!(app.get(&format!("{path}/statistics")).await["held"], 1);
    app.post(&format!("{path}/rotate-secret"), json!({}), StatusCode::OK)
        .await;
    assert!(app.get(&path).await["previous_secret_until"].is_string());

    let preview = app
        .get(&format!("{path}/recover?scope=missed&since=2026-01-01T00:00:00Z"))
        .await;
    assert_eq!((&preview["count"], &preview["more"]), (&json!(0), &json!(false)));
    let check_url = |url: &str| {
        app.post(
            "/api/v1/webhooks/url-advice",
            json!({ "url": url }),
            StatusCode::OK,
        )
    };
    assert_eq!(check_url(&receiver.url("/")).await["advice"], json!([]));
    let advice = check_url("http://192.168.0.1/").await["advice"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(advice, 2);
}
