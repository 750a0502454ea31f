//! Deliveries from publish to receiver, with a complete server.

use std::{sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    app::{Options, TestApp, eventually},
    clock::TestClock,
    postgres,
    receiver::{Latch, Receiver, Reply},
};

#[tokio::test]
async fn official_library_accepts_signature_of_delivered_event() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app
        .add_webhook("orders", &receiver.url("/hook?shop=1"), &["chat"])
        .await;
    let body = json!({
        "type": "chat", "id": "order-17", "timestamp": "2026-11-23T12:00:00+02:00", "data": { "b": 1, "a": "é" },
    });
    app.post("/api/v1/events", body, StatusCode::ACCEPTED).await;

    let call = receiver.wait_for(1).await.remove(0);
    assert_eq!(
        (call.method.as_str(), call.path.as_str()),
        ("POST", "/hook?shop=1")
    );
    assert_eq!(call.header("content-type"), "application/json");
    assert!(call.header("user-agent").starts_with("Caleida-Webhooks/"));
    assert_eq!(call.header("webhook-id"), "order-17");
    // The envelope contains the publisher's data byte for byte.
    let expected = r#"{"type":"chat","timestamp":"2026-11-23T10:00:00.000Z","data":{"a":"é","b":1}}"#;
    assert_eq!(String::from_utf8(call.body.clone()).unwrap(), expected);
    assert!(call.is_signed_with(webhook["secret"].as_str().unwrap()));
    assert!(!call.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    app.wait_for("delivered", 1).await;
}

#[tokio::test]
async fn custom_secret_verifies_in_whsec_form() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let secret = "correct horse battery staple";
    let body = json!({ "name": "own", "url": receiver.url("/"), "events": ["chat"], "secret": secret });
    app.post("/api/v1/webhooks", body, StatusCode::CREATED).await;
    app.publish("chat").await;
    let call = receiver.wait_for(1).await.remove(0);
    let standard = caleida::domain::Secret::parse(secret).unwrap().to_whsec();
    assert!(call.is_signed_with(&standard));
}

#[tokio::test]
async fn old_secret_verifies_only_during_overlap() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("rotating", &receiver.url("/"), &["chat"]).await;
    let path = format!(
        "/api/v1/webhooks/{}/rotate-secret",
        webhook["id"].as_str().unwrap()
    );
    let rotated = app
        .post(&path, json!({ "overlap_hours": 1 }), StatusCode::OK)
        .await;
    assert_ne!(webhook["secret"], rotated["secret"]);

    app.publish("chat").await;
    let during = receiver.wait_for(1).await.remove(0);
    assert_eq!(during.header("webhook-signature").split(' ').count(), 2);
    clock.advance(Duration::from_secs(3_600));
    app.publish("chat").await;
    let after = receiver.wait_for(2).await.remove(1);
    assert_eq!(after.header("webhook-signature").split(' ').count(), 1);

    // The official library uses the real clock, so verify with our own verifier at the time of the test clock.
    for (call, at, old_verifies) in [(&during, 0, true), (&after, 3_600, false)] {
        let now = TestClock::START.plus(Duration::from_secs(at));
        let verifies = |secret: &serde_json::Value| {
            let secret = caleida::domain::Secret::parse(secret.as_str().unwrap()).unwrap();
            let header = |name| call.header(name);
            let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
            let signature = header("webhook-signature");
            caleida::delivery::signer::verify(&secret, id, timestamp, signature, &call.body, now).is_ok()
        };
        assert!(verifies(&rotated["secret"]));
        assert_eq!(verifies(&webhook["secret"]), old_verifies);
    }
}

#[tokio::test]
async fn official_library_accepts_each_secret_during_overlap() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("rotating", &receiver.url("/"), &["chat"]).await;
    let path = format!(
        "/api/v1/webhooks/{}/rotate-secret",
        webhook["id"].as_str().unwrap()
    );
    let rotated = app.post(&path, json!({}), StatusCode::OK).await;
    app.publish("chat").await;
    let call = receiver.wait_for(1).await.remove(0);
    for secret in [&webhook["secret"], &rotated["secret"]] {
        assert!(call.is_signed_with(secret.as_str().unwrap()));
    }
    assert!(!call.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
}

#[tokio::test]
async fn failed_attempts_are_retried_with_the_same_id() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Status(500));
    // The first reset is on a used connection, so the request is sent again within the same attempt.
    receiver.reply(Reply::Reset);
    receiver.reply(Reply::Reset);
    app.add_webhook("flaky", &receiver.url("/"), &["chat"]).await;
    let event = app.publish("chat").await;
    let calls = receiver.wait_for(4).await;
    assert!(
        calls
            .iter()
            .all(|call| call.header("webhook-id") == event["id"].as_str().unwrap())
    );
    let delivered = app.wait_for("delivered", 1).await.remove(0);
    let detail = app
        .get(&format!(
            "/api/v1/deliveries/{}",
            delivered["id"].as_str().unwrap()
        ))
        .await;
    let results: Vec<_> = detail["attempt_log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["result"].as_str().unwrap())
        .collect();
    assert_eq!(results, ["500", "Invalid response", "200"]);
}

#[tokio::test]
async fn delivery_fails_after_last_attempt_and_keeps_all_attempts() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::full(
        503,
        &[("x-why", "maintenance")],
        "<script>alert(1)</script>",
    ));
    app.add_webhook("down", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    let failed = app.wait_for("failed", 1).await.remove(0);
    assert_eq!(failed["attempts"], 3);
    let detail = app
        .get(&format!("/api/v1/deliveries/{}", failed["id"].as_str().unwrap()))
        .await;
    let last = detail["attempt_log"][2].clone();
    assert_eq!(last["response_body"], "<script>alert(1)</script>");
    assert!(
        last["response_headers"]
            .as_array()
            .unwrap()
            .contains(&json!(["x-why", "maintenance"]))
    );
    assert_eq!(receiver.received().len(), 3);
    let webhooks = app.get("/api/v1/webhooks").await;
    // Three failures at the same moment are not yet a series.
    assert_eq!(webhooks["webhooks"][0]["status"], "degraded");
    assert_eq!(
        webhooks["webhooks"][0]["recent_attempts"],
        json!({ "total": 3, "failed": 3 })
    );
}

#[tokio::test]
async fn retries_follow_the_schedule() {
    let clock = Arc::new(TestClock::new());
    let options = Options {
        clock: Arc::clone(&clock) as _,
        arguments: vec!["--retry-schedule=5s,5m,30m,2h,5h,10h,14h,20h,24h".to_owned()],
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(500));
    app.add_webhook("down", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;

    let delays = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map(Duration::from_secs);
    for (index, delay) in delays.into_iter().enumerate() {
        let attempts = index + 1;
        receiver.wait_for(attempts).await;
        let next = app.wait_for_next_attempt(attempts).await;
        let wait = next.since(caleida::domain::Clock::now(&*clock));
        // The attempt takes real time, which the test clock does not measure.
        let slack = Duration::from_secs(3);
        assert!(
            wait >= delay.mul_f64(0.9) && wait <= delay.mul_f64(1.1) + slack,
            "{attempts}: {wait:?}"
        );
        // One millisecond before it is due, nothing is sent.
        clock.advance(wait.saturating_sub(Duration::from_millis(1)));
        app.claim_round().await;
        assert_eq!(receiver.received().len(), attempts);
        clock.advance(Duration::from_millis(1));
        app.server().wake.notify();
    }
    receiver.wait_for(10).await;
    app.wait_for("failed", 1).await;
    clock.advance(Duration::from_secs(30 * 86_400));
    app.claim_round().await;
    assert_eq!(receiver.received().len(), 10);
}

#[tokio::test]
async fn retry_after_is_honored() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::full(429, &[("retry-after", "3600")], ""));
    app.add_webhook("busy", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    app.wait_for_next_attempt(1).await;
    clock.advance(Duration::from_secs(3_595));
    app.claim_round().await;
    assert_eq!(receiver.received().len(), 1);
    clock.advance(Duration::from_secs(10));
    app.server().wake.notify();
    receiver.wait_for(2).await;
}

#[tokio::test]
async fn status_410_disables_the_webhook() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Status(410));
    app.add_webhook("gone", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.wait_for("failed", 1).await;
    let webhooks = app.get("/api/v1/webhooks").await;
    assert_eq!(webhooks["webhooks"][0]["status"], "disabled");
    assert_eq!(webhooks["webhooks"][0]["disabled_reason"], "gone");
    assert_eq!(app.publish("chat").await["deliveries"], 0);
    assert_eq!(receiver.received().len(), 1);

    // Resuming enables the webhook again.
    let path = format!(
        "/api/v1/webhooks/{}/resume",
        webhooks["webhooks"][0]["id"].as_str().unwrap()
    );
    app.post(&path, json!({}), StatusCode::OK).await;
    app.publish("chat").await;
    receiver.wait_for(2).await;
}

#[tokio::test]
async fn redirect_is_a_failure_and_is_not_followed() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let target = Receiver::start().await;
    receiver.reply_always(Reply::full(302, &[("location", &target.url("/"))], ""));
    app.add_webhook("moved", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.wait_for("failed", 1).await;
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn delete_aborts_request_in_flight() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let latch = Latch::closed();
    receiver.reply_always(Reply::Hold(latch.clone(), 200));
    let webhook = app.add_webhook("doomed", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;

    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    assert_eq!(app.delete(&path).await, StatusCode::NO_CONTENT);
    // The delete aborts the request in flight and cancels its delivery.
    app.wait_for("cancelled", 1).await;
    latch.open();
    assert_eq!(app.publish("chat").await["deliveries"], 0);
    app.claim_round().await;
    assert_eq!(receiver.received().len(), 1);
    let cancelled = app.deliveries("status=cancelled").await.remove(0);
    let delivery_path = format!("/api/v1/deliveries/{}", cancelled["id"].as_str().unwrap());
    let attempt = app.get(&delivery_path).await["attempt_log"][0].clone();
    assert_eq!(attempt["detail"], "The webhook was deleted during this attempt");
    assert_eq!(app.delete(&path).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn delete_cancels_scheduled_retry() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(500));
    let webhook = app.add_webhook("doomed", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    app.wait_for_next_attempt(1).await;
    app.delete(&format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap()))
        .await;
    clock.advance(Duration::from_secs(86_400));
    app.claim_round().await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(app.deliveries("status=cancelled").await.len(), 1);
}

#[tokio::test]
async fn paused_webhook_holds_deliveries_until_resumed() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("calm", &receiver.url("/"), &["chat"]).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    let paused = app
        .post(&format!("{path}/pause"), json!({}), StatusCode::OK)
        .await;
    assert_eq!(paused["status"], "paused");
    for _ in 0..3 {
        assert_eq!(app.publish("chat").await["deliveries"], 1);
    }
    app.wait_for("held", 3).await;
    assert!(receiver.received().is_empty());
    app.post(&format!("{path}/resume"), json!({}), StatusCode::OK)
        .await;
    receiver.wait_for(3).await;
    app.wait_for("delivered", 3).await;
}

#[tokio::test]
async fn long_backlog_is_sent_without_gaps() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("calm", &receiver.url("/"), &["chat"]).await;
    let path = |action| format!("/api/v1/webhooks/{}/{action}", webhook["id"].as_str().unwrap());
    app.post(&path("pause"), json!({}), StatusCode::OK).await;
    let events: Vec<_> = (0..1_000)
        .map(|n| json!({ "type": "chat", "data": { "n": n } }))
        .collect();
    app.post(
        "/api/v1/events/batch",
        json!({ "events": events }),
        StatusCode::ACCEPTED,
    )
    .await;
    app.post(&path("resume"), json!({}), StatusCode::OK).await;
    // Far more than the slots of one webhook, so each freed slot must trigger the next delivery.
    receiver.wait_for(1_000).await;
}

#[tokio::test]
async fn edited_url_and_secret_apply_to_next_attempt() {
    let app = TestApp::start().await;
    let (before, after) = (Receiver::start().await, Receiver::start().await);
    let webhook = app.add_webhook("moving", &before.url("/"), &["chat"]).await;
    app.publish("chat").await;
    before.wait_for(1).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    app.patch(
        &path,
        json!({ "url": after.url("/new"), "secret": secret }),
        StatusCode::OK,
    )
    .await;
    app.publish("chat").await;
    let call = after.wait_for(1).await.remove(0);
    assert!(call.is_signed_with(secret));
    assert_eq!(before.received().len(), 1);
}

#[tokio::test]
async fn hanging_receiver_delays_only_itself() {
    // Longer than the test waits, so deliveries queued behind the hanging receiver would never arrive.
    let options = Options {
        arguments: vec!["--delivery-timeout=60s".to_owned()],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let (hanging, good) = (Receiver::start().await, Receiver::start().await);
    hanging.reply_always(Reply::Never);
    app.add_webhook("hanging", &hanging.url("/"), &["message"]).await;
    app.add_webhook("good", &good.url("/"), &["chat"]).await;
    // More than the total number of slots, so there is a backlog.
    let events = vec![json!({ "type": "message", "data": {} }); 1_000];
    app.post(
        "/api/v1/events/batch",
        json!({ "events": events }),
        StatusCode::ACCEPTED,
    )
    .await;
    hanging.wait_for(32).await;
    for _ in 0..10 {
        app.publish("chat").await;
    }
    good.wait_for(10).await;
    app.wait_for("delivered", 10).await;
    assert!(
        hanging.received().len() < 100,
        "the hanging receiver takes more than its share of slots"
    );
}

#[tokio::test]
async fn private_addresses_are_blocked_and_recorded() {
    let options = Options {
        arguments: vec!["--allow-networks=10.0.0.0/8".to_owned()],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    // Names are checked when sending, because they may resolve differently later.
    let url = format!("http://localhost:{}/", receiver.port());
    app.add_webhook("sneaky", &url, &["chat"]).await;
    app.publish("chat").await;
    let failed = app.wait_for("failed", 1).await.remove(0);
    assert_eq!(failed["last_result"], "Address not allowed");
    assert!(receiver.received().is_empty());

    let literal = json!({ "name": "literal", "url": receiver.url("/"), "events": ["chat"] });
    let refused = app
        .post("/api/v1/webhooks", literal, StatusCode::UNPROCESSABLE_ENTITY)
        .await;
    assert_eq!(refused["errors"][0]["field"], "url");
}

#[tokio::test]
async fn pending_deliveries_are_sent_after_restart() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(500));
    let webhook = app.add_webhook("later", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    receiver.reply_always(Reply::Status(200));
    let app = app.restart().await;
    app.wait_for("delivered", 1).await;
    let secret = webhook["secret"].as_str().unwrap();
    assert!(receiver.received().iter().all(|call| call.is_signed_with(secret)));
}

#[tokio::test]
async fn shutdown_waits_for_attempts_in_flight() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let latch = Latch::closed();
    receiver.reply(Reply::Hold(latch.clone(), 200));
    app.add_webhook("slow", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    let stopping = tokio::spawn(async move {
        app.stop().await;
        app
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!stopping.is_finished());
    latch.open();
    let app = stopping.await.unwrap().restart().await;
    assert_eq!(app.deliveries("status=delivered").await.len(), 1);
    assert_eq!(
        receiver.received().len(),
        1,
        "the attempt was recorded, not repeated"
    );
}

#[tokio::test]
async fn expired_events_are_deleted() {
    let options = Options {
        arguments: vec!["--retention=1s".to_owned()],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Never);
    app.add_webhook("slow", &receiver.url("/"), &["message"]).await;
    app.publish("message").await;
    receiver.wait_for(1).await;
    let good = Receiver::start().await;
    app.add_webhook("good", &good.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.wait_for("delivered", 1).await;
    let gone = eventually(|| async { app.deliveries("status=delivered").await.is_empty().then_some(()) });
    gone.await.expect("the delivered event is deleted");
    assert_eq!(app.deliveries("").await.len(), 1, "the pending delivery is kept");
}

#[tokio::test]
async fn deliveries_work_on_postgresql() {
    let options = Options {
        arguments: vec![format!("--database-url={}", postgres::create_database().await)],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Status(500));
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let path = |action: &str| format!("/api/v1/webhooks/{}{action}", webhook["id"].as_str().unwrap());
    let event = app.publish("chat").await;
    app.wait_for("delivered", 1).await;
    assert_eq!(
        receiver.received()[1].header("webhook-id"),
        event["id"].as_str().unwrap()
    );
    assert_eq!(receiver.received().len(), 2, "the first attempt failed");
    assert!(receiver.received()[1].is_signed_with(webhook["secret"].as_str().unwrap()));

    app.post(&path("/pause"), json!({}), StatusCode::OK).await;
    let events = vec![json!({ "type": "chat", "data": {} }); 1_000];
    let batch = json!({ "events": events });
    app.post("/api/v1/events/batch", batch, StatusCode::ACCEPTED)
        .await;
    app.wait_for("held", 25).await;
    app.post(&path("/resume"), json!({}), StatusCode::OK).await;
    receiver.wait_for(1_002).await;

    // PostgreSQL cannot store NUL. Such input must not look like an outage.
    let mut browser = app.signed_in("admin@localhost").await;
    let found = browser.get("/integrations/webhook?q=%00").await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.body);
    let rejected = app
        .browser()
        .post("/login", &[("email", "a\0b@example.com"), ("password", "wrong")])
        .await;
    assert_ne!(
        rejected.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        rejected.body
    );
    let name = json!({ "name": "a\0b", "url": receiver.url("/"), "events": ["chat"] });
    app.post("/api/v1/webhooks", name, StatusCode::UNPROCESSABLE_ENTITY)
        .await;

    assert_eq!(app.delete(&path("")).await, StatusCode::NO_CONTENT);
    assert_eq!(app.publish("chat").await["deliveries"], 0);
}
