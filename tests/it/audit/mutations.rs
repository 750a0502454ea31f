//! Every mutation in the dashboard, the API and the command line writes an audit entry. Mutations are enumerated from
//! the routes, the OpenAPI document and the help texts, so a new mutation without an entry fails a test.

use std::{collections::BTreeSet, time::Duration};

use caleida::{
    domain::Timestamp,
    store::Retention,
    ui::{self, actions::is_action},
};
use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection};

use crate::support::{
    app::{ADMIN, PASSWORD, TestApp},
    browser::Browser,
    html::copyable,
    program::Program,
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

/// Mutations without an audit entry: publishing, checks, previews, and browser preferences.
const WITHOUT_ENTRY: [&str; 10] = [
    "POST /api/v1/events",
    "POST /api/v1/events/batch",
    "POST /api/v1/webhooks/url-advice",
    "POST /integrations/webhook/actions/check-name",
    "POST /integrations/webhook/actions/check-url",
    "POST /integrations/webhook/actions/preview-recovery",
    "POST /settings/actions/set-theme",
    "POST /settings/actions/set-time-zone",
    "POST /settings/time-zone",
    "POST /theme",
];

/// The audit log of an SQLite database, read step by step.
struct Log {
    url: String,
    read: usize,
    covered: BTreeSet<String>,
}

impl Log {
    fn of(folder: &std::path::Path) -> Self {
        Self {
            url: format!("sqlite://{}", folder.join("caleida.db").display()),
            read: 0,
            covered: BTreeSet::new(),
        }
    }

    /// Returns the actions since the last call.
    async fn new_actions(&mut self) -> Vec<String> {
        let mut connection = SqliteConnection::connect(&self.url).await.unwrap();
        let actions: Vec<String> = sqlx::query_scalar("select action from audit_log order by rowid")
            .fetch_all(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let new = actions[self.read..].to_vec();
        self.read = actions.len();
        new
    }

    /// Asserts that the mutation has written these entries and nothing else.
    async fn expect(&mut self, mutation: &str, actions: &[&str]) {
        assert_eq!(self.new_actions().await, actions, "{mutation}");
        self.covered.insert(mutation.to_owned());
    }

    fn assert_covers(&self, mutations: BTreeSet<String>) {
        let missing: Vec<_> = mutations.difference(&self.covered).collect();
        assert!(missing.is_empty(), "no audit entry is tested for {missing:#?}");
        let gone: Vec<_> = self.covered.difference(&mutations).collect();
        assert!(gone.is_empty(), "no such mutation: {gone:#?}");
    }
}

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

fn without_exceptions(mutations: impl Iterator<Item = String>) -> BTreeSet<String> {
    mutations
        .filter(|mutation| !WITHOUT_ENTRY.contains(&&**mutation))
        .collect()
}

/// Calls a server function.
async fn call(log: &mut Log, browser: &mut Browser, path: &str, form: &[(&str, &str)], actions: &[&str]) {
    let response = browser.post(path, form).await;
    assert_eq!(response.status, StatusCode::OK, "{path}: {}", response.body);
    log.expect(&format!("POST {path}"), actions).await;
}

#[tokio::test]
async fn api_mutations_write_entries() {
    let app = TestApp::start().await;
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(500));
    let mut log = Log::of(app.data());
    let _ = log.new_actions().await;
    let webhook = app.add_webhook("Orders", &receiver.url("/"), &["chat"]).await;
    log.expect("POST /api/v1/webhooks", &["webhook.created"]).await;
    app.publish("chat").await;
    let failed = app.wait_for("failed", 1).await;
    let delivery = failed[0]["id"].as_str().unwrap();
    let _running = app.breakpoints.set("advance_recovery");
    let mut recovery = String::new();

    let none = Value::Null;
    let range = json!({ "scope": "failed", "since": "2026-01-01T00:00:00Z" });
    for (method, path, body, action) in [
        (
            "PATCH",
            "/api/v1/webhooks/{id}",
            json!({ "name": "Renamed" }),
            "webhook.updated",
        ),
        (
            "POST",
            "/api/v1/deliveries/{id}/resend",
            none.clone(),
            "delivery.resent",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/recover",
            range,
            "webhook.recovery_started",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/recoveries/{recovery}/cancel",
            none.clone(),
            "webhook.recovery_cancelled",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/pause",
            none.clone(),
            "webhook.paused",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/resume",
            none.clone(),
            "webhook.resumed",
        ),
        // Not a mutation, but revealing a secret is recorded.
        (
            "GET",
            "/api/v1/webhooks/{id}/secret",
            none.clone(),
            "webhook.secret_revealed",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/rotate-secret",
            none.clone(),
            "webhook.secret_rotated",
        ),
        (
            "POST",
            "/api/v1/webhooks/{id}/test",
            none.clone(),
            "webhook.tested",
        ),
        ("DELETE", "/api/v1/webhooks/{id}", none, "webhook.deleted"),
    ] {
        let id = if path.contains("/deliveries/") {
            delivery
        } else {
            webhook["id"].as_str().unwrap()
        };
        let url = path.replace("{id}", id).replace("{recovery}", &recovery);
        let mut request = app.call(method.parse().unwrap(), &url);
        if !body.is_null() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        log.expect(&format!("{method} {path}"), &[action]).await;
        if action == "webhook.recovery_started" {
            let started: Value = serde_json::from_str(&text).unwrap();
            started["id"].as_str().unwrap().clone_into(&mut recovery);
        }
        if action == "delivery.resent" {
            app.wait_for("failed", 1).await;
        }
    }
    assert!(log.covered.remove("GET /api/v1/webhooks/{id}/secret"));

    let document = app.get("/api/v1/openapi.json").await;
    let mut mutations = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            if method != "get" {
                mutations.push(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    assert!(mutations.len() > 10, "{mutations:?}");
    log.assert_covers(without_exceptions(mutations.into_iter()));
}

/// Commands that change nothing in the audit log of this database: they read, serve, or create another database.
const READING: [&str; 10] = [
    "api-key list",
    "copy",
    "healthcheck",
    "listen",
    "migrate",
    "openapi",
    "serve",
    "trigger",
    "user list",
    "verify",
];

/// Returns the commands that a help text lists.
fn commands(program: &Program, parents: &[&str]) -> Vec<String> {
    let output = program.run(&[parents, &["--help"]].concat());
    let help = String::from_utf8(output.stdout).unwrap();
    let Some((_, list)) = help.split_once("\nCommands:\n") else {
        return vec![parents.join(" ")];
    };
    let names = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            // The name stands two columns from the left; longer descriptions may wrap.
            let name = line.strip_prefix("  ")?;
            (!name.starts_with(' ')).then(|| name.split(' ').next().unwrap())
        });
    names
        .filter(|name| *name != "help")
        .flat_map(|name| commands(program, &[parents, &[name]].concat()))
        .collect()
}

#[tokio::test]
async fn commands_write_entries() {
    let mut program = Program::start(&[]).await;
    let receiver = Receiver::start().await;
    program.api().add_webhook(&receiver.url("/")).await;
    let mut log = Log::of(&program.folder().join("data"));
    let _ = log.new_actions().await;
    let email = ["--email", "ada@example.com"];
    let steps: [(&str, &[&str], &str, &[&str]); 8] = [
        (
            "user add",
            &["--role", "viewer", "--password-stdin"],
            PASSWORD,
            &["user.added"],
        ),
        ("user set-role", &["--role", "member"], "", &["user.role_changed"]),
        (
            "user set-password",
            &["--password-stdin"],
            PASSWORD,
            &["user.password_changed"],
        ),
        ("user disable", &[], "", &["user.disabled"]),
        ("user enable", &[], "", &["user.enabled"]),
        ("user invite", &["--role", "viewer"], "", &["user.invited"]),
        ("api-key create", &["--name", "deploy"], "", &["api_key.created"]),
        ("api-key revoke", &[], "", &["api_key.revoked"]),
    ];
    let mut key = String::new();
    for (command, arguments, input, actions) in steps {
        let mut line: Vec<&str> = command.split(' ').collect();
        match command {
            "user invite" => line.extend(["--email", "bob@example.com"]),
            "api-key revoke" => line.extend(["--prefix", &key[..10]]),
            "api-key create" => {}
            _ => line.extend(email),
        }
        line.extend(arguments);
        let output = program.run_with(&line, input);
        log.expect(command, actions).await;
        if command == "api-key create" {
            key = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        }
    }
    let rotate = ["rotate-master-key", "--new-key-file", "new.key"];
    program.output(&rotate);
    program.kill();
    program
        .restart(&[("CALEIDA_PREVIOUS_MASTER_KEY_FILE", "new.key")])
        .await;
    program.run(&rotate);
    log.expect("rotate-master-key", &["webhook.secret_resealed"])
        .await;

    let mutations = commands(&program, &[])
        .into_iter()
        .filter(|command| !READING.contains(&&**command));
    log.assert_covers(mutations.collect());
}

/// One entry per day keeps the log readable.
#[tokio::test]
async fn retention_writes_one_entry_per_day() {
    let app = TestApp::start().await;
    let store = &app.server().store;
    let mut log = Log::of(app.data());
    let noon = Timestamp::from_millis(1_795_435_200_000);
    let hour = Duration::from_secs(60 * 60);
    for (at, entries) in [
        (noon, 1),
        (noon.plus(hour * 11), 0),
        (noon.plus(hour * 12), 1),
        (noon.plus(hour * 35), 0),
        (noon.plus(hour * 60), 1),
    ] {
        app.publish("chat").await;
        let _ = log.new_actions().await;
        let batch = Retention {
            account: &app.account,
            before: Timestamp::from_millis(i64::MAX),
            after: None,
            limit: 10,
            at,
        };
        let deleted = store.delete_old_events(batch).await.unwrap().deleted;
        assert_eq!(deleted, 1);
        assert_eq!(log.new_actions().await, vec!["event.expired"; entries], "{at:?}");
    }
    // Nothing has expired, so nothing is written.
    let batch = Retention {
        account: &app.account,
        before: noon,
        after: None,
        limit: 10,
        at: noon.plus(hour * 100),
    };
    assert_eq!(store.delete_old_events(batch).await.unwrap().deleted, 0);
    assert_eq!(log.new_actions().await, Vec::<String>::new());
}
