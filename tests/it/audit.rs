//! The audit log: every change with actor, address and previous values.

mod mutations;
mod retention;

use std::collections::BTreeSet;

use caleida::{
    domain::{Actor, AuditAction, Origin, Role, Timestamp},
    store::AuditEvent,
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    app::{ADMIN, PASSWORD, TestApp},
    browser::Browser,
    html::{attributes, texts as html_texts},
    receiver::{Receiver, Reply},
};

const LOG: &str = "/settings/audit-log";

/// Exports the log and returns its entries, oldest first.
async fn export(browser: &mut Browser, query: &str) -> Vec<Value> {
    let page = browser.get(&format!("{LOG}/export{query}")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.headers[header::CONTENT_TYPE], "application/jsonl");
    let lines = page.body.lines().map(|line| serde_json::from_str(line).unwrap());
    let mut entries: Vec<Value> = lines.collect();
    entries.reverse();
    entries
}

fn texts<'a>(entries: &'a [Value], field: &str) -> Vec<&'a str> {
    entries
        .iter()
        .map(|entry| entry[field].as_str().unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn changes_are_recorded_with_actor_address_and_old_values() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(500));
    let mut browser = app.signed_in(ADMIN).await;

    // The API adds and edits a webhook.
    let url = receiver.url("/");
    let webhook = app.add_webhook("Orders", &url, &["chat"]).await;
    let (id, secret) = (
        webhook["id"].as_str().unwrap(),
        webhook["secret"].as_str().unwrap(),
    );
    let path = format!("/api/v1/webhooks/{id}");
    app.patch(
        &path,
        json!({ "name": "Renamed", "events": ["chat", "message"] }),
        StatusCode::OK,
    )
    .await;
    app.patch(
        &path,
        json!({ "secret": "correct horse battery staple of mine" }),
        StatusCode::OK,
    )
    .await;
    app.publish("chat").await;
    let failed = app.wait_for("failed", 1).await;
    let delivery = failed[0]["id"].as_str().unwrap();
    app.post(
        &format!("/api/v1/deliveries/{delivery}/resend"),
        json!({}),
        StatusCode::ACCEPTED,
    )
    .await;
    // An admin does the rest in the dashboard.
    let webhook_page = format!("/integrations/webhook/{id}");
    for (page, form) in [
        ("", vec![("do", "pause")]),
        ("", vec![("do", "resume"), ("held", "drop")]),
        ("", vec![("do", "reveal")]),
        ("", vec![("do", "rotate"), ("overlap", "24")]),
        ("/test", vec![("type", "chat")]),
        ("/delete", vec![]),
    ] {
        let response = browser.post(&format!("{webhook_page}{page}"), &form).await;
        assert!(
            response.status.is_success() || response.status.is_redirection(),
            "{page} {form:?}: {}",
            response.body
        );
    }

    let entries = export(&mut browser, &format!("?subject={id}")).await;
    let expected = [
        "webhook.created",
        "webhook.updated",
        "webhook.updated_with_secret",
        "webhook.paused",
        "webhook.resumed",
        "webhook.secret_revealed",
        "webhook.secret_rotated",
        "webhook.tested",
        "webhook.deleted",
    ];
    assert_eq!(texts(&entries, "action"), expected);
    for (number, entry) in entries.iter().enumerate() {
        assert_eq!(entry["address"], "127.0.0.1", "{entry}");
        assert_eq!(entry["subject_name"], "Renamed", "{entry}");
        let actor = entry["actor"].as_str().unwrap();
        assert_eq!(actor.starts_with("API key “"), number < 3, "{entry}");
        assert_eq!(actor == ADMIN, number >= 3, "{entry}");
    }
    let settings = json!({ "name": "Orders", "url": url, "events": ["chat"], "retries": "standard" });
    assert_eq!(entries[0]["details"], json!({ "after": settings }));
    let edited = json!({
        "before": { "name": "Orders", "events": ["chat"] },
        "after": { "name": "Renamed", "events": ["chat", "message"] },
    });
    assert_eq!(entries[1]["details"], edited);
    assert_eq!(entries[3]["details"]["after"], json!({ "status": "paused" }));
    assert_eq!(entries[4]["details"]["held"], "drop");
    assert_eq!(entries[8]["details"]["before"]["name"], "Renamed");

    let resent = export(&mut browser, &format!("?subject={delivery}")).await;
    assert_eq!(texts(&resent, "action"), ["delivery.resent"]);
    assert_eq!(resent[0]["details"]["webhook"], id);

    // Neither the export nor the page contains secrets.
    let page = browser.get(LOG).await;
    assert_eq!(page.status, StatusCode::OK);
    let everything = format!("{:?}{}", export(&mut browser, "").await, page.body);
    for hidden in [secret, "correct horse battery staple of mine", PASSWORD] {
        assert!(!everything.contains(hidden));
    }
    assert!(page.body.contains("Webhook edited with a new secret"));
}

/// Adds `per_user` entries for each of two users, one second apart.
async fn fill(app: &TestApp, per_user: usize) {
    for number in 0..per_user * 2 {
        let email = format!("{}@example.com", ["ada", "bob"][number % 2]);
        let origin = Origin::Address("2001:db8::7".parse().unwrap());
        let actor = Actor::user(app.account.clone(), &email, origin);
        let at = Timestamp::from_millis(1_795_428_000_000 + i64::try_from(number).unwrap() * 1_000);
        let audit_event = AuditEvent::new(&actor, AuditAction::RoleChanged, format!("usr_{number}"), at);
        app.server().store.record_audit_event(&audit_event).await.unwrap();
    }
}

/// Returns the target of the “Older” link.
fn older_link(page: &str) -> Option<String> {
    let position = html_texts(page, "a[href]")
        .iter()
        .position(|text| text == "Older")?;
    attributes(page, "a[href]", "href").into_iter().nth(position)
}

#[tokio::test]
async fn log_is_filtered_and_paged_without_duplicates() {
    let app = TestApp::start().await;
    fill(&app, 60).await;
    let mut browser = app.signed_in(ADMIN).await;
    let mut next = Some(format!("{LOG}?actor=ada%40example.com"));
    let (mut pages, mut seen) = (0, BTreeSet::new());
    while let Some(path) = next {
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.body.contains(">bob@example.com</a>"), "{path}");
        for href in attributes(&page.body, "a[href*='?subject=']", "href") {
            let (_, subject) = href.split_once("?subject=").unwrap();
            let subject = subject.to_owned();
            assert!(seen.insert(subject.clone()), "{subject} is listed twice");
        }
        pages += 1;
        next = older_link(&page.body);
    }
    assert_eq!((pages, seen.len()), (2, 60));

    let matching = browser
        .get(&format!("{LOG}?subject=usr_7&actor=bob%40example.com"))
        .await
        .body;
    assert!(
        matching.contains("User role changed") && matching.contains("2001:db8::7"),
        "{matching}"
    );
    let none = browser
        .get(&format!("{LOG}?subject=usr_7&actor=ada%40example.com"))
        .await
        .body;
    assert!(none.contains("No matches"));
    // The first ten seconds.
    let range = "?action=user.role_changed&since=2026-11-23T10:00:00Z&until=2026-11-23T10:00:10Z";
    assert_eq!(export(&mut browser, range).await.len(), 10);
}

#[tokio::test]
async fn export_contains_every_entry_once() {
    let app = TestApp::start().await;
    fill(&app, 650).await;
    let mut browser = app.signed_in(ADMIN).await;
    let entries = export(&mut browser, "?action=user.role_changed").await;
    let subjects: Vec<_> = (0..1_300).map(|number| format!("usr_{number}")).collect();
    assert_eq!(texts(&entries, "subject"), subjects);
    let page = browser
        .get(&format!("{LOG}/export?actor=ada%40example.com"))
        .await;
    assert_eq!(page.body.lines().count(), 650);
    let disposition = page.headers[header::CONTENT_DISPOSITION].to_str().unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"caleida-audit-log-"),
        "{disposition}"
    );
}

#[tokio::test]
async fn log_excludes_other_accounts() {
    let app = TestApp::start().await;
    let other_key = app.key_of_another_account().await;
    let body = json!({ "name": "Theirs", "url": "https://example.com/", "events": ["chat"] });
    let request = app
        .anonymous(Method::POST, "/api/v1/webhooks")
        .bearer_auth(other_key);
    let added = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(added.status(), StatusCode::CREATED);
    let mut browser = app.signed_in(ADMIN).await;
    let everything = format!("{:?}", export(&mut browser, "").await);
    assert!(
        !everything.contains("Theirs") && !everything.contains("webhook.created"),
        "{everything}"
    );
}

#[tokio::test]
async fn api_returns_same_entries_as_export() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    app.add_user("ada@example.com", Role::Viewer).await;
    let ada = app.person("ada@example.com").await.user.id;
    let role = [("role", "member")];
    browser.post(&format!("/settings/users/{ada}"), &role).await;
    app.add_webhook("orders", "https://example.com/", &["chat"]).await;
    let key = app.key_with(&["audit:read"]).await;
    let exported = export(&mut browser, "").await;

    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/audit-log?limit=2{cursor}");
        let page = app.anonymous(Method::GET, &path).bearer_auth(&key).send().await;
        let page: Value = serde_json::from_str(&page.unwrap().text().await.unwrap()).unwrap();
        let newest_first = page["entries"].as_array().unwrap().clone();
        assert!(newest_first.len() <= 2);
        entries.splice(0..0, newest_first.into_iter().rev());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(entries, exported);
    let changed = entries
        .iter()
        .find(|entry| entry["action"] == "user.role_changed");
    let details = &changed.expect("the role change is recorded")["details"];
    let expected = json!({ "before": { "role": "viewer" }, "after": { "role": "member" } });
    assert_eq!(details, &expected);

    let path = "/api/v1/audit-log?action=webhook.created";
    let filtered = app.anonymous(Method::GET, path).bearer_auth(&key).send().await;
    let filtered: Value = serde_json::from_str(&filtered.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(
        texts(filtered["entries"].as_array().unwrap(), "action"),
        ["webhook.created"]
    );
}
