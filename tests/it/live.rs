//! The live delivery log.

use std::{sync::Arc, time::Duration};

use reqwest::{Response, StatusCode, header};
use tokio::time::timeout;

use caleida::domain::Role;

use crate::support::{
    app::{ADMIN, TestApp},
    browser::Browser,
    clock::TestClock,
    receiver::Receiver,
};

/// Far longer than any update takes.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// A browser's event source: it asks again whenever a response has ended, and names the last event that it has.
struct EventSource<'a> {
    app: &'a TestApp,
    cookie: String,
    path: String,
    last_event: Option<String>,
}

impl<'a> EventSource<'a> {
    async fn open(app: &'a TestApp, path: &str) -> Self {
        Self::open_as(app, &app.signed_in(ADMIN).await, path)
    }

    fn open_as(app: &'a TestApp, browser: &Browser, path: &str) -> Self {
        Self {
            app,
            cookie: browser.cookie.clone().unwrap(),
            path: path.to_owned(),
            last_event: None,
        }
    }

    async fn request(&self) -> Response {
        let mut request = self.app.anonymous(reqwest::Method::GET, &self.path);
        if let Some(id) = &self.last_event {
            request = request.header("last-event-id", id);
        }
        request
            .header(header::ACCEPT, "text/event-stream")
            .header(header::COOKIE, &self.cookie)
            .send()
            .await
            .unwrap()
    }

    /// Returns the data of the next event, or `None` if nothing has changed.
    async fn poll(&mut self) -> Option<String> {
        let response = self.request().await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        // The response ends, so it takes no connection while nothing happens.
        let text = timeout(WAIT_TIMEOUT, response.text()).await.unwrap().unwrap();
        assert!(text.contains("retry: 1000\n"), "{text}");
        let id = text.lines().find_map(|line| line.strip_prefix("id: "))?;
        assert!(text.contains("event: change\n"), "{text}");
        self.last_event = Some(id.to_owned());
        Some(text)
    }

    /// Polls until an event contains all of these texts.
    async fn poll_until(&mut self, texts: &[&str]) {
        let found = async {
            loop {
                let event = self.poll().await.unwrap_or_default();
                if texts.iter().all(|text| event.contains(text)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(WAIT_TIMEOUT, found)
            .await
            .unwrap_or_else(|_| panic!("no event with {texts:?}"));
    }
}

#[tokio::test]
async fn live_log_sends_what_has_changed() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let id = webhook["id"].as_str().unwrap();
    let mut all = EventSource::open(&app, "/integrations/webhook/deliveries/live").await;
    let mut one_webhook =
        EventSource::open(&app, &format!("/integrations/webhook/{id}/deliveries/live")).await;
    let mut failed = EventSource::open(&app, "/integrations/webhook/deliveries/live?status=failed").await;
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
        EventSource::open_as(&app, &signed_out, path),
        EventSource::open_as(&app, &disabled, path),
        EventSource::open_as(&app, &ended, path),
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
    let mut source = EventSource::open_as(&app, &browser, path);
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
