//! What callers that may not change webhooks see of URLs: no hidden part on any page, in any response, by any search.

use caleida::{domain::Role, ui};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    app::{ADMIN, TestApp},
    browser::Browser,
    receiver::{Receiver, Reply},
};

/// Part of every path and every query of a webhook's URL.
const TOKEN: &str = "t0kenOfTheReceiver";

/// A webhook with failed attempts, an edit and a receiver that repeats the URL, and the ids of all that.
struct Scene {
    app: TestApp,
    webhook: String,
    delivery: String,
    event: String,
    recovery: String,
    user: String,
    _receiver: Receiver,
}

impl Scene {
    async fn create() -> Self {
        let app = TestApp::start().await;
        let receiver = Receiver::start().await;
        let path = format!("/services/{TOKEN}/{TOKEN}2?sig={TOKEN}3&v=1");
        let url = receiver.url(&path);
        receiver.reply_always(Reply::full(
            500,
            &[("location", &url), (&format!("x-{TOKEN}"), TOKEN)],
            format!("Cannot POST {path}, <a href='{url}'>{TOKEN}2</a>"),
        ));
        let added = app.add_webhook("Orders", &url, &["chat"]).await;
        let webhook = added["id"].as_str().unwrap().to_owned();
        app.publish("chat").await;
        let delivery = app.wait_for("failed", 1).await.remove(0);
        let changed = json!({ "url": receiver.url(&format!("/{TOKEN}/x?{TOKEN}")) });
        app.patch(&format!("/api/v1/webhooks/{webhook}"), changed, StatusCode::OK)
            .await;
        let range = json!({ "scope": "failed", "since": "2026-01-01T00:00:00Z" });
        let recover = format!("/api/v1/webhooks/{webhook}/recover");
        let recovery = app.post(&recover, range, StatusCode::ACCEPTED).await;
        app.add_user("viewer@example.com", Role::Viewer).await;
        app.add_user("member@example.com", Role::Member).await;
        let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
        Self {
            webhook,
            delivery: text(&delivery, "id"),
            event: text(&delivery, "event_id"),
            recovery: text(&recovery, "id"),
            user: app.person("viewer@example.com").await.user.id.to_string(),
            app,
            _receiver: receiver,
        }
    }

    /// Fills the path of a route or of an API call with ids that exist.
    fn fill(&self, path: &str) -> String {
        let id = match path {
            _ if path.contains("/deliveries/{id}") => &self.delivery,
            _ if path.contains("/events/{id}") => &self.event,
            _ if path.contains("/users/{id}") => &self.user,
            _ => &self.webhook,
        };
        path.replace("{id}", id)
            .replace("{recovery}", &self.recovery)
            .replace("{event_type}", "chat")
            .replace("{token}", "unknown")
    }

    /// Returns the GET routes of the dashboard that show the token to a user, and the number of pages that were shown.
    async fn pages_with_token(&self, email: &str) -> (Vec<&'static str>, usize) {
        let mut browser = self.app.signed_in(email).await;
        let (mut found, mut shown) = (Vec::new(), 0);
        for route in ui::routes() {
            if route.method != Method::GET {
                continue;
            }
            let page = browser.get(&self.fill(route.path)).await;
            shown += usize::from(page.status == StatusCode::OK);
            let location = page.location.unwrap_or_default();
            if page.body.contains(TOKEN) || location.contains(TOKEN) {
                found.push(route.path);
            }
        }
        (found, shown)
    }

    /// Returns the GET calls of the API that return the token to a key, and the number of successful calls.
    async fn calls_with_token(&self, scopes: &[&str]) -> (Vec<String>, usize) {
        let key = self.app.key_with(scopes).await;
        let document = self.app.get("/api/v1/openapi.json").await;
        let (mut found, mut successful) = (Vec::new(), 0);
        for (path, calls) in document["paths"].as_object().unwrap() {
            if calls.get("get").is_none() {
                continue;
            }
            let query = if path.ends_with("/recover") {
                "?scope=missed&since=2026-01-01T00:00:00Z"
            } else {
                ""
            };
            let call = self
                .app
                .anonymous(Method::GET, &format!("{}{query}", self.fill(path)));
            let response = call.bearer_auth(&key).send().await.unwrap();
            successful += usize::from(response.status() == StatusCode::OK);
            if response.text().await.unwrap().contains(TOKEN) {
                found.push(path.clone());
            }
        }
        (found, successful)
    }
}

#[tokio::test]
async fn pages_show_whole_urls_only_to_admins() {
    let scene = Scene::create().await;
    for (email, expected) in [("viewer@example.com", 16), ("member@example.com", 20)] {
        let (found, shown) = scene.pages_with_token(email).await;
        assert!(found.is_empty(), "{email} sees the token on {found:?}");
        assert!(shown >= expected, "{email} sees {shown} pages");
    }
    let (found, _) = scene.pages_with_token(ADMIN).await;
    for path in [
        "/integrations/webhook",
        "/integrations/webhook/{id}",
        "/integrations/webhook/{id}/delete",
        "/integrations/webhook/{id}/test",
        "/integrations/webhook/{id}/deliveries",
        "/integrations/webhook/deliveries/{id}",
        "/integrations/webhook/deliveries/{id}/response",
        "/settings/audit-log",
        "/settings/audit-log/export",
    ] {
        assert!(found.contains(&path), "{path} shows no token to an admin");
    }
}

#[tokio::test]
async fn shortened_url_shows_host_and_common_first_segment() {
    let scene = Scene::create().await;
    let mut browser = scene.app.signed_in("viewer@example.com").await;
    let delivery = browser
        .get(&scene.fill("/integrations/webhook/deliveries/{id}"))
        .await;
    assert!(delivery.body.contains("/services/…?…"), "{}", delivery.body);
    assert!(
        delivery.body.contains("Cannot POST /services/…"),
        "{}",
        delivery.body
    );
    let list = browser.get("/integrations/webhook").await.body;
    assert!(
        list.contains("http://127.0.0.1:") && list.contains("/…?…"),
        "{list}"
    );
}

#[tokio::test]
async fn test_events_show_whole_urls_only_to_admins() {
    let scene = Scene::create().await;
    let (page, function) = (
        scene.fill("/integrations/webhook/{id}/test"),
        "/integrations/webhook/actions/test",
    );
    for (email, sees_token) in [("member@example.com", false), (ADMIN, true)] {
        let mut browser: Browser = scene.app.signed_in(email).await;
        let form = [("id", scene.webhook.as_str()), ("type", "chat")];
        for path in [&*page, function] {
            let report = browser.post(path, &form).await;
            assert_eq!(report.status, StatusCode::OK, "{}", report.body);
            assert!(report.body.contains("The receiver responded"), "{}", report.body);
            assert_eq!(report.body.contains(TOKEN), sees_token, "{email} {path}");
        }
    }
}

#[tokio::test]
async fn api_returns_whole_urls_only_to_keys_that_may_write() {
    let scene = Scene::create().await;
    let reading = ["events:write", "webhooks:read", "audit:read"];
    let (found, successful) = scene.calls_with_token(&reading).await;
    assert!(found.is_empty(), "{found:?} return the token");
    assert!(successful >= 11, "{successful} calls succeeded");
    let (found, _) = scene
        .calls_with_token(&["webhooks:read", "webhooks:write", "audit:read"])
        .await;
    assert_eq!(
        found,
        [
            "/api/v1/audit-log",
            "/api/v1/deliveries/{id}",
            "/api/v1/webhooks",
            "/api/v1/webhooks/{id}",
        ]
    );
}

#[tokio::test]
async fn search_finds_hidden_parts_of_urls_only_for_editors() {
    let scene = Scene::create().await;
    let token = TOKEN.to_lowercase();
    let keys = [
        (scene.app.key_with(&["webhooks:read"]).await, false),
        (
            scene.app.key_with(&["webhooks:read", "webhooks:write"]).await,
            true,
        ),
    ];
    let users = [
        ("viewer@example.com", false),
        ("member@example.com", false),
        (ADMIN, true),
    ];
    for (search, is_hidden) in [
        ("orders", false),
        ("127.0.0.1", false),
        (&*token, true),
        (&token[..1], true),
        ("?", true),
        ("/", true),
        ("http", true),
    ] {
        for (email, edits) in users {
            let mut browser = scene.app.signed_in(email).await;
            let list = browser
                .get(&format!("/integrations/webhook?q={}", search.replace('?', "%3F")))
                .await;
            let is_found = list.body.contains("id=\"row-wh_");
            assert_eq!(is_found, edits || !is_hidden, "{email} searches {search}");
        }
        for (key, edits) in &keys {
            let call = scene.app.anonymous(
                Method::GET,
                &format!("/api/v1/webhooks?search={}", search.replace('?', "%3F")),
            );
            let response = call.bearer_auth(key).send().await.unwrap();
            let page: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
            let found = usize::from(*edits || !is_hidden);
            assert_eq!(page["total"], found, "{search}");
            assert_eq!(page["webhooks"].as_array().unwrap().len(), found, "{search}");
        }
    }
}
