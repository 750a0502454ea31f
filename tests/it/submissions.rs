//! Forms that are submitted twice with the same token, as by a double click, without and with JavaScript.

use caleida::domain::Role;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{
    app::{ADMIN, TestApp},
    browser::{Browser, Page, form_urlencoded},
    html::copyable,
    receiver::{Latch, Receiver, Reply},
};

const NEW: &str = "/integrations/webhook/new";
const ADD: &str = "/integrations/webhook/actions/add";
const NEW_KEY: &str = "/settings/api-keys/new";
const USERS: &str = "/settings/users";

/// Returns a browser with the session of another one: a second request of the same page.
async fn twin(app: &TestApp, browser: &Browser) -> Browser {
    let mut twin = app.browser();
    twin.cookie.clone_from(&browser.cookie);
    twin
}

/// Posts a form twice at the same time.
async fn twice(app: &TestApp, browser: &mut Browser, path: &str, form: &[(&str, &str)]) -> [Page; 2] {
    let mut other = twin(app, browser).await;
    let (first, second) = tokio::join!(browser.post(path, form), other.post(path, form));
    [first, second]
}

async fn count(app: &TestApp, path: &str, list: &str) -> usize {
    app.get(path).await[list].as_array().unwrap().len()
}

fn webhook<'a>(token: &'a str, name: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("submission", token),
        ("url", "https://crm.example/hook"),
        ("name", name),
        ("secret", "correct horse battery staple"),
        ("events", "chat"),
    ]
}

#[tokio::test]
async fn webhook_is_added_once() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let token = browser.get(NEW).await.hidden("submission");
    for page in twice(&app, &mut browser, NEW, &webhook(&token, "one")).await {
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
        assert_eq!(page.location.as_deref(), Some("/integrations/webhook"));
    }
    let page = browser.get("/integrations/webhook").await;
    assert!(page.body.contains("Webhook “one” added."), "{}", page.body);
    // Later too.
    let page = browser.post(NEW, &webhook(&token, "one")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(count(&app, "/api/v1/webhooks", "webhooks").await, 1);

    let token = browser.get(NEW).await.hidden("submission");
    for page in twice(&app, &mut browser, ADD, &webhook(&token, "two")).await {
        assert_eq!(
            (page.status, &page.json()["to"]),
            (StatusCode::OK, &Value::from("/integrations/webhook"))
        );
    }
    assert_eq!(count(&app, "/api/v1/webhooks", "webhooks").await, 2);
}

#[tokio::test]
async fn other_fields_token_or_user_is_another_submission() {
    let app = TestApp::start().await;
    app.add_user("member@example.com", Role::Member).await;
    let mut browser = app.signed_in(ADMIN).await;
    let token = browser.get(NEW).await.hidden("submission");
    // A refused form can be corrected and sent again.
    let page = browser.post(NEW, &webhook(&token, " ")).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for name in ["one", "two"] {
        let page = browser.post(NEW, &webhook(&token, name)).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    }
    assert_eq!(count(&app, "/api/v1/webhooks", "webhooks").await, 2);
    let mut member = app.signed_in("member@example.com").await;
    let fresh = browser.get(NEW).await.hidden("submission");
    assert_ne!(fresh, token);
    for (is_member, token) in [(true, &*token), (false, &*fresh), (true, "")] {
        let browser = if is_member { &mut member } else { &mut browser };
        let page = browser.post(NEW, &webhook(token, "one")).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{}", page.body);
    }
}

#[tokio::test]
async fn api_key_is_created_once_and_shown_both_times() {
    let mut app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let token = browser.get(NEW_KEY).await.hidden("submission");
    let form = [
        ("submission", &*token),
        ("name", "deploy"),
        ("scopes", "events:write"),
        ("expiry", "never"),
    ];
    let [first, second] = twice(&app, &mut browser, NEW_KEY, &form).await;
    let key = copyable(&first.body);
    assert_eq!(copyable(&second.body), key);
    let page = browser.get("/settings/api-keys").await;
    assert_eq!(page.body.matches(&key[..10]).count(), 1, "{}", page.body);
    // The stored outcome is encrypted, and its key is not stored.
    app.stop().await;
    for file in ["caleida.db", "caleida.db-wal"] {
        let bytes = std::fs::read(app.data().join(file)).unwrap_or_default();
        for secret in [&key, &token] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{file}");
        }
    }
}

#[tokio::test]
async fn invite_is_created_and_renewed_once() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let token = browser.get(USERS).await.hidden("submission");
    let form = [
        ("submission", &*token),
        ("email", "ada@example.com"),
        ("role", "viewer"),
    ];
    let [first, second] = twice(&app, &mut browser, USERS, &form).await;
    let link = copyable(&first.body);
    assert_eq!(copyable(&second.body), link);

    let page = browser.get(USERS).await;
    let (token, invite) = (page.hidden("submission"), page.hidden("invite"));
    let form = [("submission", &*token), ("invite", &*invite), ("do", "renew")];
    let [first, second] = twice(&app, &mut browser, USERS, &form).await;
    let renewed = copyable(&first.body);
    assert_eq!(copyable(&second.body), renewed);
    assert_ne!(renewed, link);
    let path = renewed
        .strip_prefix(&app.url(""))
        .unwrap_or_else(|| panic!("{renewed}"));
    assert_eq!(app.browser().get(path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn test_event_is_sent_once() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let path = format!("/integrations/webhook/{}/test", webhook["id"].as_str().unwrap());
    let mut browser = app.signed_in(ADMIN).await;
    let token = browser.get(&path).await.hidden("submission");
    let form = [("submission", &*token), ("type", "chat")];
    for page in twice(&app, &mut browser, &path, &form).await {
        assert!(
            page.body.contains("204") || page.body.contains("200"),
            "{}",
            page.body
        );
        // The form that is shown again is a new one.
        assert_ne!(page.hidden("submission"), token);
    }
    assert_eq!(receiver.received().len(), 1);

    // With JavaScript, the form stays and gets a new token.
    let id = webhook["id"].as_str().unwrap();
    let form = [("submission", &*token), ("type", "chat"), ("id", id)];
    let function = "/integrations/webhook/actions/test";
    let first = browser.post(function, &form).await.json();
    let second = browser.post(function, &form).await.json();
    assert_eq!(first["part"], second["part"]);
    let next = first["submission"].as_str().unwrap();
    let form = [("submission", next), ("type", "chat"), ("id", id)];
    browser.post(function, &form).await;
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn recovery_is_started_once() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    receiver.reply_always(Reply::Status(500));
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    app.publish("chat").await;
    app.wait_for("failed", 1).await;
    receiver.reply_always(Reply::Status(204));
    let path = format!(
        "/integrations/webhook/{}/recover",
        webhook["id"].as_str().unwrap()
    );
    let mut browser = app.signed_in(ADMIN).await;
    let page = browser
        .get(&format!("{path}?scope=failed&since=2026-01-01T00:00:00Z"))
        .await;
    let (token, since) = (page.hidden("submission"), page.hidden("since"));
    let form = [("submission", &*token), ("scope", "failed"), ("since", &*since)];
    for page in twice(&app, &mut browser, &path, &form).await {
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    }
    app.wait_for("delivered", 1).await;
    // Also after the recovery has ended.
    assert_eq!(browser.post(&path, &form).await.status, StatusCode::SEE_OTHER);
    let page = browser.get(&path).await;
    assert!(page.body.contains("The recovery has started."), "{}", page.body);
    assert_eq!(
        page.body.matches("Failed deliveries</strong>").count(),
        1,
        "{}",
        page.body
    );
}

#[tokio::test]
async fn change_completes_if_the_browser_drops_the_first_request() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    let latch = Latch::closed();
    receiver.reply(Reply::Hold(latch.clone(), 204));
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let path = format!("/integrations/webhook/{}/test", webhook["id"].as_str().unwrap());
    let mut browser = app.signed_in(ADMIN).await;
    let token = browser.get(&path).await.hidden("submission");
    let form = [("submission", &*token), ("type", "chat")];
    let request = browser
        .request(reqwest::Method::POST, &path)
        .header("cookie", browser.cookie.clone().unwrap())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form_urlencoded(&form));
    let first = tokio::spawn(request.send());
    receiver.wait_for(1).await;
    first.abort();
    let (second, ()) = tokio::join!(browser.post(&path, &form), async {
        tokio::task::yield_now().await;
        latch.open();
    });
    assert!(second.body.contains("204"), "{}", second.body);
    assert_eq!(receiver.received().len(), 1);
}
