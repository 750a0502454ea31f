//! The live delivery log.

use std::{sync::Arc, time::Duration};

use caleida::domain::Role;
use reqwest::StatusCode;

use crate::support::{
    app::{ADMIN, TestApp},
    clock::TestClock,
    event_source::EventSource,
    receiver::Receiver,
};

#[tokio::test]
async fn live_log_sends_what_has_changed() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let id = webhook["id"].as_str().unwrap();
    let admin = app.signed_in(ADMIN).await;
    let mut all = EventSource::open(&admin, "/integrations/webhook/deliveries/live");
    let mut one_webhook = EventSource::open(&admin, &format!("/integrations/webhook/{id}/deliveries/live"));
    let mut failed = EventSource::open(&admin, "/integrations/webhook/deliveries/live?status=failed");
    for source in [&mut all, &mut one_webhook] {
        source.poll_until(&["No deliveries yet"]).await;
    }
    failed.poll_until(&["No matches"]).await;
    for source in [&mut all, &mut one_webhook, &mut failed] {
        assert_eq!(source.poll().await, None, "nothing has changed");
    }

    let event = app.publish("chat").await;
    for source in [&mut all, &mut one_webhook] {
        source
            .poll_until(&[event["id"].as_str().unwrap(), "Delivered"])
            .await;
        assert_eq!(source.poll().await, None, "nothing has changed");
    }
    assert_eq!(failed.poll().await, None, "the delivery did not fail");
}

#[tokio::test]
async fn live_log_ends_with_the_session() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Viewer).await;
    let mut signed_out = app.signed_in(ADMIN).await;
    let disabled = app.signed_in("ada@example.com").await;
    let ended = app.signed_in(ADMIN).await;
    let mut other_browser = app.signed_in(ADMIN).await;
    let path = "/integrations/webhook/deliveries/live";
    let mut sources = [
        EventSource::open(&signed_out, path),
        EventSource::open(&disabled, path),
        EventSource::open(&ended, path),
    ];
    for source in &mut sources {
        source.poll_until(&["No deliveries yet"]).await;
    }
    assert_eq!(
        signed_out.post("/logout", &[]).await.status,
        StatusCode::SEE_OTHER
    );
    app.disable("ada@example.com").await;
    let end_others = [("do", "end-others")];
    assert_eq!(
        other_browser.post("/settings/account", &end_others).await.status,
        StatusCode::SEE_OTHER
    );
    for source in sources {
        // The sign-in page is no event stream, so the browser gives up.
        assert_eq!(source.request().await.status(), StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn open_live_log_does_not_keep_the_session_alive() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let mut browser = app.signed_in(ADMIN).await;
    let path = "/integrations/webhook/deliveries/live";
    let mut source = EventSource::open(&browser, path);
    source.poll_until(&["No deliveries yet"]).await;
    let user = app.person(ADMIN).await.user;
    let last_seen_at = async || {
        let account = app.server().store.of(&user.account_id);
        let sessions = account.user_sessions(&user.id, TestClock::START).await.unwrap();
        sessions[0].last_seen_at
    };
    clock.advance(Duration::from_secs(3_600));
    source.poll().await;
    assert_eq!(last_seen_at().await, TestClock::START);
    browser.get("/integrations/webhook").await;
    assert_eq!(
        last_seen_at().await,
        TestClock::START.plus(Duration::from_secs(3_600))
    );
}

#[tokio::test]
async fn live_log_requires_sign_in() {
    let app = TestApp::start().await;
    for path in [
        "/integrations/webhook/deliveries/live",
        "/integrations/webhook/wh_1/deliveries/live",
    ] {
        let response = app.anonymous(reqwest::Method::GET, path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
    }
}
