//! Prometheus metrics after known traffic.

use std::{net::TcpListener, sync::Arc};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{
    app::{ADMIN, Options, PASSWORD, TestApp, eventually},
    clock::TestClock,
    postgres,
    program::Program,
    receiver::{Latch, Receiver, Reply},
};

async fn app_with(arguments: &[&str]) -> TestApp {
    let mut options = Options::default();
    options.arguments.push("--metrics-listen=127.0.0.1:0".to_owned());
    options
        .arguments
        .extend(arguments.iter().map(|&argument| argument.to_owned()));
    TestApp::start_with(options).await
}

/// Returns the value of a series, named with its labels.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn metrics_count_events_and_attempts() {
    let app = app_with(&[]).await;
    let (receiver, broken) = (Receiver::start().await, Receiver::start().await);
    broken.reply_always(Reply::Status(500));
    app.add_webhook("all", &receiver.url("/"), &["chat", "message"])
        .await;
    app.add_webhook("broken", &broken.url("/"), &["message"]).await;
    for _ in 0..2 {
        app.publish("chat").await;
    }
    app.publish("message").await;
    let repeated = json!({ "type": "insight.key", "id": "once", "data": {} });
    app.post("/api/v1/events", repeated.clone(), StatusCode::ACCEPTED)
        .await;
    app.post("/api/v1/events", repeated, StatusCode::OK).await;
    app.wait_for("delivered", 3).await;
    app.wait_for("failed", 1).await;

    let text = app.scrape().await;
    for (series, expected) in [
        (r#"caleida_events_accepted_total{type="chat"}"#, 2.0),
        (r#"caleida_events_accepted_total{type="message"}"#, 1.0),
        (r#"caleida_events_accepted_total{type="insight.key"}"#, 1.0),
        (r#"caleida_events_accepted_total{type="insight.topic"}"#, 0.0),
        (r#"caleida_delivery_attempts_total{outcome="delivered"}"#, 3.0),
        (r#"caleida_delivery_attempts_total{outcome="http_5xx"}"#, 3.0),
        (r#"caleida_delivery_attempts_total{outcome="timeout"}"#, 0.0),
        ("caleida_delivery_attempt_seconds_count", 6.0),
        (r#"caleida_delivery_attempt_seconds_bucket{le="+Inf"}"#, 6.0),
        ("caleida_event_to_first_attempt_seconds_count", 4.0),
        ("caleida_deliveries_pending", 0.0),
        ("caleida_oldest_due_seconds", 0.0),
        ("caleida_database_up", 1.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in\n{text}");
    }
    assert!(value(&text, "caleida_delivery_attempt_seconds_sum").unwrap() > 0.0);
    assert!(text.contains("# TYPE caleida_events_accepted_total counter\n"));
    assert!(text.contains(r#"caleida_build_info{version=""#));
    if cfg!(target_os = "linux") {
        assert!(value(&text, "process_resident_memory_bytes").unwrap() > 1e6);
    }
}

#[tokio::test]
async fn metrics_show_inflight_and_pending_deliveries() {
    let app = app_with(&["--delivery-timeout=30s"]).await;
    let (receiver, gate) = (Receiver::start().await, Latch::closed());
    receiver.reply_always(Reply::Hold(gate.clone(), 200));
    app.add_webhook("slow", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    let text = app.scrape().await;
    assert_eq!(value(&text, "caleida_inflight"), Some(1.0));
    assert_eq!(value(&text, "caleida_deliveries_pending"), Some(1.0));
    gate.open();
    app.wait_for("delivered", 1).await;
    let idle = eventually(|| async { value(&app.scrape().await, "caleida_inflight").filter(|&n| n == 0.0) });
    assert!(idle.await.is_some());
}

#[tokio::test]
async fn first_attempt_latency_starts_at_acceptance() {
    let clock = Arc::new(TestClock::new());
    let mut options = Options {
        clock: Arc::clone(&clock) as _,
        ..Options::default()
    };
    options.arguments.push("--metrics-listen=127.0.0.1:0".to_owned());
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("late", &receiver.url("/"), &["chat"]).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    app.post(&format!("{path}/pause"), json!({}), StatusCode::OK)
        .await;
    app.publish("chat").await;
    clock.advance(std::time::Duration::from_secs(40));
    app.post(&format!("{path}/resume"), json!({}), StatusCode::OK)
        .await;
    app.wait_for("delivered", 1).await;
    let text = app.scrape().await;
    assert_eq!(
        value(&text, "caleida_event_to_first_attempt_seconds_sum"),
        Some(40.0)
    );
}

#[tokio::test]
async fn metrics_contain_no_private_data() {
    let app = app_with(&[]).await;
    let receiver = Receiver::start().await;
    let webhook = app
        .add_webhook("orders", &receiver.url("/private?token=abc"), &["chat"])
        .await;
    let event = app.publish("chat").await;
    let delivery = app.wait_for("delivered", 1).await.remove(0);
    app.signed_in(ADMIN).await;
    let text = app.scrape().await;
    let url = app.url("");
    let known = [
        &webhook["secret"],
        &webhook["id"],
        &webhook["name"],
        &event["id"],
        &delivery["id"],
    ]
    .map(|text| text.as_str().unwrap().to_owned());
    for forbidden in
        known
            .iter()
            .map(String::as_str)
            .chain([ADMIN, PASSWORD, "/private", "token", &url, "127.0.0.1"])
    {
        assert!(!text.contains(forbidden), "{forbidden} in\n{text}");
    }
    // The metrics listener serves nothing else, and the main listener serves no metrics.
    let metrics = app.server().metrics.unwrap();
    for path in ["/", "/api/v1/webhooks", "/integrations/webhook"] {
        let response = app.get_url(&format!("http://{metrics}{path}")).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let on_main_listener = app.call(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(on_main_listener.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn worker_exposes_metrics() {
    let database = postgres::create_database().await;
    let database = format!("--database-url={database}");
    let web = app_with(&[
        &database,
        "--role=web",
        "--master-key=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
    ])
    .await;
    let worker = app_with(&[
        &database,
        "--role=worker",
        "--master-key=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
    ])
    .await;
    let receiver = Receiver::start().await;
    web.add_webhook("shared", &receiver.url("/"), &["chat"]).await;
    web.publish("chat").await;
    web.wait_for("delivered", 1).await;
    let accepted = r#"caleida_events_accepted_total{type="chat"}"#;
    let delivered = r#"caleida_delivery_attempts_total{outcome="delivered"}"#;
    for (app, expected) in [(&web, [1.0, 0.0]), (&worker, [0.0, 1.0])] {
        let text = app.scrape().await;
        assert_eq!(
            [accepted, delivered].map(|series| value(&text, series).unwrap()),
            expected
        );
    }
    assert!(worker.scrape().await.contains(r#"role="worker""#));
}

#[tokio::test]
async fn taken_metrics_address_is_reported_in_one_line() {
    let program = Program::start(&[]).await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let another = ["--database-url", "sqlite://another.db"];
    let failed = program.output(&[&["serve", "--metrics-listen", &address], &another[..]].concat());
    let stderr = String::from_utf8(failed.stderr).unwrap();
    assert_eq!(failed.status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.contains(&address) && stderr.contains("CALEIDA_METRICS_LISTEN") && stderr.contains("off"),
        "{stderr}"
    );
}
