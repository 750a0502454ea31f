//! Server functions and forms.

use caleida::ui::{self, actions::is_action};
use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Method, StatusCode};

use super::{Log, without_exceptions};
use crate::support::{
    app::{ADMIN, PASSWORD, TestApp},
    browser::Browser,
    html::copyable,
    receiver::{Receiver, Reply},
};

/// Forms that do the same as server functions, which are tested instead.
const FORMS: [&str; 11] = [
    "/integrations/webhook/new",
    "/integrations/webhook/{id}",
    "/integrations/webhook/{id}/delete",
    "/integrations/webhook/{id}/recover",
    "/integrations/webhook/{id}/test",
    "/integrations/webhook/deliveries/{id}",
    "/settings/account",
    "/settings/api-keys/new",
    "/settings/api-keys/{id}/revoke",
    "/settings/users",
    "/settings/users/{id}",
];

#[tokio::test]
async fn dashboard_mutations_write_entries() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let mut log = Log::of(app.data());
    let _ = log.new_actions().await;
    let webhooks = |name: &str| format!("/integrations/webhook/actions/{name}");
    let settings = |name: &str| format!("/settings/actions/{name}");

    let url = receiver.url("/");
    let form = [
        ("url", &*url),
        ("name", "Orders"),
        ("secret", ""),
        ("events", "chat"),
    ];
    call(
        &mut log,
        &mut browser,
        &webhooks("add"),
        &form,
        &["webhook.created"],
    )
    .await;
    let webhook = app.get("/api/v1/webhooks").await["webhooks"][0].clone();
    let id = webhook["id"].as_str().unwrap();
    let version = webhook["version"].to_string();
    let form = [
        ("id", id),
        ("version", &*version),
        ("url", &*url),
        ("name", "Renamed"),
        ("secret", ""),
        ("events", "chat"),
    ];
    call(
        &mut log,
        &mut browser,
        &webhooks("edit"),
        &form,
        &["webhook.updated"],
    )
    .await;

    receiver.reply_always(Reply::Status(500));
    app.publish("chat").await;
    let failed = app.wait_for("failed", 1).await;
    let delivery = failed[0]["id"].as_str().unwrap();
    let form = [("id", delivery)];
    call(
        &mut log,
        &mut browser,
        &webhooks("resend"),
        &form,
        &["delivery.resent"],
    )
    .await;
    // Resent and failed once more.
    app.wait_for("failed", 1).await;

    // Blocks the recovery, which would end by itself.
    let _running = app.breakpoints.set("advance_recovery");
    let form = [("id", id), ("scope", "failed"), ("since", "2026-01-01T00:00:00Z")];
    let actions = ["webhook.recovery_started"];
    call(
        &mut log,
        &mut browser,
        &webhooks("start-recovery"),
        &form,
        &actions,
    )
    .await;
    let recoveries = app.get(&format!("/api/v1/webhooks/{id}/recoveries")).await;
    let recovery = recoveries["recoveries"][0]["id"].as_str().unwrap();
    let form = [("id", id), ("recovery", recovery)];
    let actions = ["webhook.recovery_cancelled"];
    call(
        &mut log,
        &mut browser,
        &webhooks("cancel-recovery"),
        &form,
        &actions,
    )
    .await;

    let form = [("id", id)];
    for (function, action) in [
        ("pause", "webhook.paused"),
        ("resume", "webhook.resumed"),
        ("reveal-secret", "webhook.secret_revealed"),
        ("rotate-secret", "webhook.secret_rotated"),
    ] {
        call(&mut log, &mut browser, &webhooks(function), &form, &[action]).await;
    }
    let form = [("id", id), ("type", "chat")];
    call(
        &mut log,
        &mut browser,
        &webhooks("test"),
        &form,
        &["webhook.tested"],
    )
    .await;
    let form = [("id", id)];
    call(
        &mut log,
        &mut browser,
        &webhooks("delete"),
        &form,
        &["webhook.deleted"],
    )
    .await;

    let form = [
        ("name", "deploy"),
        ("scopes", "events:write"),
        ("expiry", "never"),
    ];
    call(
        &mut log,
        &mut browser,
        &settings("add-api-key"),
        &form,
        &["api_key.created"],
    )
    .await;
    let store = &app.server().store;
    let keys = store.of(&app.account).api_keys().await.unwrap();
    let key = keys.into_iter().find(|row| row.key.name == "deploy").unwrap();
    let form = [("id", key.key.id.as_str())];
    call(
        &mut log,
        &mut browser,
        &settings("revoke-api-key"),
        &form,
        &["api_key.revoked"],
    )
    .await;

    let form = [("email", "ada@example.com"), ("role", "viewer")];
    call(
        &mut log,
        &mut browser,
        &settings("invite-user"),
        &form,
        &["user.invited"],
    )
    .await;
    let invites = store.of(&app.account).invites().await.unwrap();
    let form = [("invite", invites[0].id.as_str())];
    call(
        &mut log,
        &mut browser,
        &settings("renew-invite"),
        &form,
        &["invite.renewed"],
    )
    .await;
    call(
        &mut log,
        &mut browser,
        &settings("revoke-invite"),
        &form,
        &["invite.revoked"],
    )
    .await;
    let form = [("email", "bob@example.com"), ("role", "viewer")];
    let link = browser.post("/settings/users", &form).await;
    let _ = log.new_actions().await;
    let link = copyable(&link.body);
    let path = link[link.find("/invite/").expect("a link")..].to_owned();
    let mut bob = app.browser();
    let joined = bob.post(&path, &[("password", PASSWORD)]).await;
    assert_eq!(joined.status, StatusCode::SEE_OTHER, "{}", joined.body);
    log.expect("POST /invite/{token}", &["user.joined", "user.signed_in"])
        .await;

    let person = app.person("bob@example.com").await.user.id;
    let form = [("id", person.as_str()), ("role", "member")];
    call(
        &mut log,
        &mut browser,
        &settings("change-role"),
        &form,
        &["user.role_changed"],
    )
    .await;
    let form = [("id", person.as_str())];
    call(
        &mut log,
        &mut browser,
        &settings("disable-user"),
        &form,
        &["user.disabled"],
    )
    .await;
    call(
        &mut log,
        &mut browser,
        &settings("enable-user"),
        &form,
        &["user.enabled"],
    )
    .await;

    for _ in 0..2 {
        app.signed_in(ADMIN).await;
        log.expect("POST /login", &["user.signed_in"]).await;
    }
    let sessions = browser.get("/settings/account").await.all_hidden("session");
    let form = [("session", &*sessions[0])];
    call(
        &mut log,
        &mut browser,
        &settings("end-session"),
        &form,
        &["session.ended"],
    )
    .await;
    call(
        &mut log,
        &mut browser,
        &settings("end-other-sessions"),
        &[],
        &["session.ended"],
    )
    .await;
    let form = [("old", PASSWORD), ("new", "another good password")];
    let actions = ["user.password_changed"];
    call(
        &mut log,
        &mut browser,
        &settings("change-password"),
        &form,
        &actions,
    )
    .await;
    let signed_out = browser.post("/logout", &[]).await;
    assert_eq!(signed_out.status, StatusCode::SEE_OTHER);
    log.expect("POST /logout", &["user.signed_out"]).await;
    // The session has already ended, so there is no entry.
    browser.post("/logout", &[]).await;
    log.expect("POST /logout", &[]).await;

    let functions = server_fn_paths().map(|(path, _)| path.to_owned());
    let pages = ui::routes()
        .into_iter()
        .filter(|route| route.method == Method::POST && !is_action(route.path))
        .map(|route| route.path.to_owned())
        .filter(|path| !FORMS.contains(&&**path));
    let mutations = functions.chain(pages).map(|path| format!("POST {path}"));
    log.assert_covers(without_exceptions(mutations));
}

/// Calls a server function.
async fn call(log: &mut Log, browser: &mut Browser, path: &str, form: &[(&str, &str)], actions: &[&str]) {
    let response = browser.post(path, form).await;
    assert_eq!(response.status, StatusCode::OK, "{path}: {}", response.body);
    log.expect(&format!("POST {path}"), actions).await;
}
