//! The engine's promises, with the whole product running and a receiver that does as it is told.

use std::{sync::Arc, time::Duration};

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{
    app::{Options, TestApp, eventually},
    clock::TestClock,
    postgres,
    receiver::{Answer, Gate, Receiver},
};

#[tokio::test]
async fn an_event_arrives_signed_so_that_the_official_library_accepts_it() {
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
    // The publisher's JSON text, byte for byte, in our envelope.
    let expected = r#"{"type":"chat","timestamp":"2026-11-23T10:00:00.000Z","data":{"a":"é","b":1}}"#;
    assert_eq!(String::from_utf8(call.body.clone()).unwrap(), expected);
    assert!(call.is_signed_with(webhook["secret"].as_str().unwrap()));
    assert!(!call.is_signed_with("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    app.wait_for("delivered", 1).await;
}

#[tokio::test]
async fn a_secret_of_ones_own_verifies_in_its_standard_form() {
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
async fn while_a_rotation_lasts_both_secrets_verify_and_then_only_the_new_one() {
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

    // The library compares with the real clock, so here our own verifier judges at the clock of the test.
    for (call, at, old_is_good) in [(&during, 0, true), (&after, 3_600, false)] {
        let now = TestClock::START.plus(Duration::from_secs(at));
        let accepts = |secret: &serde_json::Value| {
            let secret = caleida::domain::Secret::parse(secret.as_str().unwrap()).unwrap();
            let header = |name| call.header(name);
            let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
            let signature = header("webhook-signature");
            caleida::delivery::signer::verify(&secret, id, timestamp, signature, &call.body, now).is_ok()
        };
        assert!(accepts(&rotated["secret"]));
        assert_eq!(accepts(&webhook["secret"]), old_is_good);
    }
}

#[tokio::test]
async fn during_a_rotation_the_official_library_accepts_with_each_secret_alone() {
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
async fn a_failed_attempt_is_repeated_with_the_same_id_until_it_succeeds() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.answer(Answer::Status(500));
    receiver.answer(Answer::Close);
    app.add_webhook("flaky", &receiver.url("/"), &["chat"]).await;
    let event = app.publish("chat").await;
    let calls = receiver.wait_for(3).await;
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
    assert_eq!(results, ["500", "Broken answer", "200"]);
}

#[tokio::test]
async fn when_no_attempt_is_left_the_delivery_has_failed_with_all_of_them_on_record() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.answer_always(Answer::full(
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
    assert_eq!(webhooks["webhooks"][0]["status"], "failing");
}

#[tokio::test]
async fn retries_wait_for_exactly_the_scheduled_pauses() {
    let clock = Arc::new(TestClock::new());
    let options = Options {
        clock: Arc::clone(&clock) as _,
        arguments: vec!["--retry-schedule=5s,5m,30m,2h,5h,10h,14h,20h,24h".to_owned()],
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    receiver.answer_always(Answer::Status(500));
    app.add_webhook("down", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;

    let pauses = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map(Duration::from_secs);
    for (index, pause) in pauses.into_iter().enumerate() {
        let attempts = index + 1;
        receiver.wait_for(attempts).await;
        let next = app.wait_for_next_attempt(attempts).await;
        let waits = next.since(caleida::domain::Clock::now(&*clock));
        // The attempt itself took a moment of real time, which the test's clock does not know of.
        let slack = Duration::from_secs(3);
        assert!(
            waits >= pause.mul_f64(0.9) && waits <= pause.mul_f64(1.1) + slack,
            "{attempts}: {waits:?}"
        );
        // A moment too early nothing may happen; then it is due.
        clock.advance(waits.saturating_sub(Duration::from_millis(1)));
        app.server().wake.ring();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(receiver.received().len(), attempts);
        clock.advance(Duration::from_millis(1));
        app.server().wake.ring();
    }
    receiver.wait_for(10).await;
    app.wait_for("failed", 1).await;
    clock.advance(Duration::from_secs(30 * 86_400));
    app.server().wake.ring();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(receiver.received().len(), 10);
}

#[tokio::test]
async fn a_receiver_that_asks_for_patience_gets_it() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let receiver = Receiver::start().await;
    receiver.answer(Answer::full(429, &[("retry-after", "3600")], ""));
    app.add_webhook("busy", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    app.wait_for_next_attempt(1).await;
    clock.advance(Duration::from_secs(3_595));
    app.server().wake.ring();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(receiver.received().len(), 1);
    clock.advance(Duration::from_secs(10));
    app.server().wake.ring();
    receiver.wait_for(2).await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_called_no_more() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.answer(Answer::Status(410));
    app.add_webhook("gone", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.wait_for("failed", 1).await;
    let webhooks = app.get("/api/v1/webhooks").await;
    assert_eq!(webhooks["webhooks"][0]["status"], "disabled");
    assert_eq!(webhooks["webhooks"][0]["disabled_reason"], "gone");
    assert_eq!(app.publish("chat").await["deliveries"], 0);
    assert_eq!(receiver.received().len(), 1);

    // Somebody mends it and enables it again.
    let path = format!(
        "/api/v1/webhooks/{}/resume",
        webhooks["webhooks"][0]["id"].as_str().unwrap()
    );
    app.post(&path, json!({}), StatusCode::OK).await;
    app.publish("chat").await;
    receiver.wait_for(2).await;
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let elsewhere = Receiver::start().await;
    receiver.answer_always(Answer::full(302, &[("location", &elsewhere.url("/"))], ""));
    app.add_webhook("moved", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.wait_for("failed", 1).await;
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn deleted_means_silent_even_for_a_request_under_way() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let held = Gate::closed();
    receiver.answer_always(Answer::Hold(held.clone(), 200));
    let webhook = app.add_webhook("doomed", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;

    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    assert_eq!(app.delete(&path).await, StatusCode::NO_CONTENT);
    // It was answered while the receiver was still holding the request: that one was cut, and is cancelled.
    app.wait_for("cancelled", 1).await;
    held.open();
    assert_eq!(app.publish("chat").await["deliveries"], 0);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(receiver.received().len(), 1);
    let cancelled = app.deliveries("status=cancelled").await.remove(0);
    let path_of_delivery = format!("/api/v1/deliveries/{}", cancelled["id"].as_str().unwrap());
    let attempt = app.get(&path_of_delivery).await["attempt_log"][0].clone();
    assert_eq!(
        attempt["detail"],
        "The webhook was deleted while this attempt was under way"
    );
    assert_eq!(app.delete(&path).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn deleting_cancels_a_retry_that_is_still_to_come() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let receiver = Receiver::start().await;
    receiver.answer_always(Answer::Status(500));
    let webhook = app.add_webhook("doomed", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    app.wait_for_next_attempt(1).await;
    app.delete(&format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap()))
        .await;
    clock.advance(Duration::from_secs(86_400));
    app.server().wake.ring();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.received().len(), 1);
    assert_eq!(app.deliveries("status=cancelled").await.len(), 1);
}

#[tokio::test]
async fn a_paused_webhook_loses_nothing() {
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
async fn a_long_backlog_is_sent_without_a_pause() {
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
    // Many times what a webhook gets at once: a slot that becomes free has to call for the next.
    receiver.wait_for(1_000).await;
}

#[tokio::test]
async fn an_edited_url_and_secret_are_used_from_the_next_attempt_on() {
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
async fn a_receiver_that_hangs_delays_only_itself() {
    // Longer than the test waits for anything: what stands behind the hanging one would never come.
    let options = Options {
        arguments: vec!["--delivery-timeout=60s".to_owned()],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let (hanging, good) = (Receiver::start().await, Receiver::start().await);
    hanging.answer_always(Answer::Never);
    app.add_webhook("hanging", &hanging.url("/"), &["message"]).await;
    app.add_webhook("good", &good.url("/"), &["chat"]).await;
    // More than may be under way at once in all, so that a backlog stands behind it.
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
        "the hanging one took more places than it may"
    );
}

#[tokio::test]
async fn private_addresses_are_refused_and_the_refusal_is_on_record() {
    let options = Options {
        arguments: vec!["--allow-networks=10.0.0.0/8".to_owned()],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    // The name is not judged when it is saved: it may resolve differently later.
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
async fn what_was_pending_when_it_stopped_is_delivered_after_the_next_start() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.answer_always(Answer::Status(500));
    let webhook = app.add_webhook("later", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    receiver.answer_always(Answer::Status(200));
    let app = app.restart().await;
    app.wait_for("delivered", 1).await;
    let secret = webhook["secret"].as_str().unwrap();
    assert!(receiver.received().iter().all(|call| call.is_signed_with(secret)));
}

#[tokio::test]
async fn stopping_waits_for_the_attempts_under_way() {
    let mut app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let held = Gate::closed();
    receiver.answer(Answer::Hold(held.clone(), 200));
    app.add_webhook("slow", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    receiver.wait_for(1).await;
    let store = Arc::clone(&app.server().store);
    let account = app.account.clone();
    let stopping = tokio::spawn(async move { app.stop().await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!stopping.is_finished());
    held.open();
    stopping.await.unwrap();
    let filter = caleida::store::DeliveryFilter {
        limit: 1,
        ..Default::default()
    };
    let page = store.of(&account).list_deliveries(&filter).await.unwrap();
    assert_eq!(
        page.deliveries[0].status,
        caleida::domain::DeliveryStatus::Delivered
    );
}

#[tokio::test]
async fn what_is_older_than_the_retention_disappears_by_itself() {
    let options = Options {
        arguments: vec!["--retention=1s".to_owned()],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    receiver.answer_always(Answer::Never);
    app.add_webhook("slow", &receiver.url("/"), &["message"]).await;
    app.publish("message").await;
    receiver.wait_for(1).await;
    let good = Receiver::start().await;
    app.add_webhook("good", &good.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.wait_for("delivered", 1).await;
    let gone = eventually(|| async { app.deliveries("status=delivered").await.is_empty().then_some(()) });
    gone.await.expect("it was kept for ever");
    assert_eq!(
        app.deliveries("").await.len(),
        1,
        "what is still to be sent stays"
    );
}

#[tokio::test]
async fn on_postgresql_it_is_all_the_same() {
    let options = Options {
        arguments: vec![format!("--database-url={}", postgres::create_database().await)],
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let receiver = Receiver::start().await;
    receiver.answer(Answer::Status(500));
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

    // What this database cannot store must not look as if it were away.
    let mut browser = app.signed_in("admin@localhost").await;
    let found = browser.get("/integrations/webhook?q=%00").await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.body);
    let mut stranger = app.browser();
    let refused = stranger
        .post("/login", &[("email", "a\0b@example.com"), ("password", "wrong")])
        .await;
    assert_ne!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        refused.body
    );
    let name = json!({ "name": "a\0b", "url": receiver.url("/"), "events": ["chat"] });
    app.post("/api/v1/webhooks", name, StatusCode::UNPROCESSABLE_ENTITY)
        .await;

    assert_eq!(app.delete(&path("")).await, StatusCode::NO_CONTENT);
    assert_eq!(app.publish("chat").await["deliveries"], 0);
}
