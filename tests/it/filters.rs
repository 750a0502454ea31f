//! Filters whose value cannot match: the dashboard shows no results and keeps the value, the API names the parameter.

use reqwest::{Method, StatusCode};

use crate::support::{
    app::{ADMIN, TestApp},
    html::{attributes, texts},
    receiver::Receiver,
};

/// An app with a webhook, delivered events and entries in the audit log.
async fn app_with_entries() -> TestApp {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.publish("message").await;
    app.wait_for("delivered", 1).await;
    app
}

/// Returns the number of entries, and the values that the fields of the filters show.
fn read(page: &str) -> (usize, Vec<String>) {
    let rows = texts(page, "tbody tr[role=row]").len();
    let mut values = attributes(page, ".filters input", "value");
    values.extend(attributes(page, ".filters option[selected]", "value"));
    (rows, values)
}

#[tokio::test]
async fn invalid_filter_shows_nothing_and_stays_in_its_field() {
    let app = app_with_entries().await;
    let mut browser = app.signed_in(ADMIN).await;
    let webhook = app.get("/api/v1/webhooks").await["webhooks"][0]["id"].clone();
    let log_of_one = format!("/integrations/webhook/{}/deliveries", webhook.as_str().unwrap());
    let log = "/integrations/webhook/deliveries";
    let long = "orders".repeat(60);
    let invalid = [
        ("event", "order.17"),
        ("event", "évt"),
        ("event", "dlv_00000000000000000000000000000001"),
        ("event", "evt"),
        ("status", "done"),
        ("status", "Failed"),
        ("type", "chats"),
        ("since", "yesterday"),
        ("until", "2026-02-30T10:00:00Z"),
    ];
    let cases = invalid
        .iter()
        .flat_map(|case| [(log, *case), (&*log_of_one, *case)]);
    let cases = cases.chain([
        (log, ("webhook", "orders")),
        (log, ("webhook", "wh_00000000000000000000000000000001")),
        ("/integrations/webhook/events", ("type", "insight.*")),
        ("/integrations/webhook/events", ("sent", "yes")),
        ("/integrations/webhook/events", ("since", "1795428000")),
        ("/integrations/webhook/events", ("until", "now")),
        ("/integrations/webhook", ("status", "enabled")),
        ("/integrations/webhook", ("event", "chat.created")),
        ("/integrations/webhook", ("q", &long)),
        ("/settings/audit-log", ("action", "webhook.made")),
        ("/settings/audit-log", ("actor", "unknown@example.com")),
        ("/settings/audit-log", ("subject", "orders")),
        ("/settings/audit-log", ("since", "last week")),
    ]);
    let cases: Vec<_> = cases
        .map(|(path, (name, value))| (path, name, value.to_owned()))
        .collect();
    for (path, name, value) in cases {
        assert!(read(&browser.get(path).await.body).0 > 0, "{path} has entries");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair(name, &value)
            .finish();
        let page = browser.get(&format!("{path}?{query}")).await;
        assert_eq!(page.status, StatusCode::OK);
        let (rows, values) = read(&page.body);
        assert_eq!(rows, 0, "{path}?{query}");
        assert!(page.body.contains("No matches"), "{path}?{query}");
        let shown = if name == "actor" {
            format!("user:{value}")
        } else {
            value
        };
        assert!(values.contains(&shown), "{path}?{query}: {values:?}");
    }
}

#[tokio::test]
async fn export_with_invalid_filter_is_empty() {
    let app = app_with_entries().await;
    let mut browser = app.signed_in(ADMIN).await;
    assert!(!browser.get("/settings/audit-log/export").await.body.is_empty());
    let page = browser.get("/settings/audit-log/export?since=yesterday").await;
    assert_eq!((page.status, &*page.body), (StatusCode::OK, ""));
}

#[tokio::test]
async fn recovery_without_a_valid_time_is_refused() {
    let app = app_with_entries().await;
    let mut browser = app.signed_in(ADMIN).await;
    let webhook = app.get("/api/v1/webhooks").await["webhooks"][0]["id"].clone();
    let path = format!("/integrations/webhook/{}/recover", webhook.as_str().unwrap());
    for (scope, since, message) in [
        ("missed", "yesterday", "Enter a date and time."),
        ("failed", "2026-11-31T10:00", "Enter a date and time."),
        ("everything", "2026-11-23T10:00:00Z", "Choose what to recover."),
    ] {
        let query = format!("{path}?scope={scope}&since={since}");
        for page in [
            browser.get(&query).await,
            browser.post(&path, &[("scope", scope), ("since", since)]).await,
        ] {
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
            assert!(page.body.contains(message), "{}", page.body);
            // A valid time is shown in the user's time zone.
            let shown = since.trim_end_matches(":00Z");
            assert!(page.body.contains(shown), "{}", page.body);
        }
    }
    let page = browser
        .get(&format!("{path}?scope=missed&since=2026-11-23T10:00:00Z"))
        .await;
    assert_eq!(page.status, StatusCode::OK);
}

#[tokio::test]
async fn invalid_parameter_of_a_list_is_named_by_the_api() {
    let app = app_with_entries().await;
    let (deliveries, events) = ("/api/v1/deliveries", "/api/v1/events");
    let (webhooks, audit) = ("/api/v1/webhooks", "/api/v1/audit-log");
    for (path, name, value) in [
        (deliveries, "event", "order.17"),
        (deliveries, "event", "%C3%A9vt"),
        (deliveries, "webhook", "orders"),
        (deliveries, "status", "done"),
        (deliveries, "type", "chats"),
        (deliveries, "since", "yesterday"),
        (deliveries, "until", "2026-02-30T10:00:00Z"),
        (deliveries, "cursor", "next"),
        (deliveries, "limit", "many"),
        (deliveries, "webhook", ""),
        (events, "type", "Chat"),
        (events, "unsent", "maybe"),
        (events, "since", "1795428000"),
        (events, "until", "now"),
        (events, "cursor", "evt_1"),
        (events, "limit", "0"),
        (webhooks, "cursor", "orders"),
        (webhooks, "limit", "101"),
        (audit, "since", "yesterday"),
        (audit, "until", "now"),
        (audit, "cursor", "aud_1"),
        (audit, "limit", "-1"),
        (deliveries, "events", "evt_1"),
    ] {
        let query = format!("{path}?{name}={value}");
        let response = app.call(Method::GET, &query).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        let text = response.text().await.unwrap();
        let problem: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(problem["errors"][0]["field"], name, "{query}: {problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(name),
            "{query}: {problem}"
        );
    }
    for (query, list) in [
        (format!("{audit}?action=webhook.made"), "entries"),
        (format!("{audit}?actor=orders&subject=orders"), "entries"),
        (format!("{deliveries}?event=evt_unknown"), "deliveries"),
        (
            format!("{deliveries}?webhook=wh_00000000000000000000000000000001"),
            "deliveries",
        ),
    ] {
        assert_eq!(app.get(&query).await[list], serde_json::json!([]), "{query}");
    }
}
