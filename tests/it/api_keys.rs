//! API keys: creation, use, expiry and revocation, with one process and with several.

use std::{sync::Arc, time::Duration};

use caleida::{
    auth::api_key::{self, EVENTS_WRITE},
    domain::{Actor, Clock, Principal, Role},
    store::ApiKeyRow,
};
use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;

use crate::{
    cluster::processes,
    support::{
        app::{ADMIN, PASSWORD, TestApp},
        browser::Browser,
        clock::TestClock,
        html::{attributes, copyable},
        program::{Api, Program},
    },
};

const KEYS: &str = "/settings/api-keys";
const NEW: &str = "/settings/api-keys/new";

fn form<'a>(name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let defaults = [("name", name), ("expiry", "never"), ("scopes", EVENTS_WRITE)];
    [&defaults, more].concat()
}

/// Returns the key that the page shows.
fn key_in(page: &str) -> String {
    copyable(page)
}

async fn create(browser: &mut Browser, name: &str) -> String {
    let page = browser.post(NEW, &form(name, &[])).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let key = key_in(&page.body);
    assert_eq!(key.len(), 46);
    key
}

async fn rows(app: &TestApp) -> Vec<ApiKeyRow> {
    app.server().store.of(&app.account).api_keys().await.unwrap()
}

async fn row(app: &TestApp, name: &str) -> ApiKeyRow {
    let mut rows = rows(app).await.into_iter();
    rows.find(|row| row.key.name == name).expect("no such key")
}

/// Publishes an event with the key and returns the status.
async fn publish(app: &TestApp, key: &str) -> StatusCode {
    let request = app.anonymous(Method::POST, "/api/v1/events").bearer_auth(key);
    let body = r#"{"type":"chat","data":{}}"#;
    request.body(body).send().await.unwrap().status()
}

#[tokio::test]
async fn key_is_shown_only_when_created() {
    let mut app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let page = browser.post(NEW, &form("Publisher", &[])).await;
    assert_eq!((page.status, &page.location), (StatusCode::OK, &None));
    assert_eq!(page.headers["cache-control"], "no-store");
    let key = key_in(&page.body);
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    // Other scopes are rejected.
    let webhooks = app.anonymous(Method::GET, "/api/v1/webhooks").bearer_auth(&key);
    assert_eq!(webhooks.send().await.unwrap().status(), StatusCode::FORBIDDEN);

    let list = browser.get(KEYS).await.body;
    assert!(
        list.contains("Publisher") && list.contains(&format!("{}…", &key[..10])),
        "{list}"
    );
    for path in [KEYS, NEW, "/settings/audit-log", "/settings/audit-log/export"] {
        assert!(!browser.get(path).await.body.contains(&key), "{path}");
    }
    let created = row(&app, "Publisher").await;
    assert_eq!(created.created_by, Principal::User(ADMIN.to_owned()));
    assert_eq!(created.key.scopes, [EVENTS_WRITE]);
    app.stop().await;
    // The database does not contain the key, not even in the session.
    for file in ["caleida.db", "caleida.db-wal"] {
        let bytes = std::fs::read(app.data().join(file)).unwrap_or_default();
        assert!(
            !bytes.windows(key.len()).any(|window| window == key.as_bytes()),
            "{file}"
        );
    }
}

#[tokio::test]
async fn invalid_key_form_shows_errors_and_keeps_input() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    create(&mut browser, "Publisher").await;
    let past_date = [("expiry", "date"), ("date", "2020-02-29")];
    for (form, expected) in [
        (form(" ", &[]), "Enter a name for the key."),
        (form("Publisher", &[]), "A key named “Publisher” already exists."),
        (
            vec![("name", "Other <b>"), ("expiry", "never")],
            "Choose at least one scope.",
        ),
        (
            form("Other <b>", &[("scopes", "everything:all")]),
            "Choose at least one scope.",
        ),
        (
            [&[("name", "Other <b>"), ("scopes", EVENTS_WRITE)], &past_date[..]].concat(),
            "Choose today or a later day.",
        ),
        (
            vec![("name", "Other <b>"), ("scopes", EVENTS_WRITE)],
            "Choose when the key expires.",
        ),
    ] {
        let page = browser.post(NEW, &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{expected}");
        assert!(page.body.contains(expected), "{expected}");
        assert!(page.body.contains("aria-invalid=\"true\""), "{expected}");
        if form[0].1 == "Other <b>" {
            assert!(page.body.contains("value=\"Other &lt;b&gt;\""), "{expected}");
        }
    }
    let created = rows(&app).await;
    assert_eq!(
        created.iter().filter(|row| row.key.name != "Publisher").count(),
        1,
        "only the key of the test app"
    );
}

#[tokio::test]
async fn revoked_key_stops_working_at_once_and_frees_its_name() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let key = create(&mut browser, "Publisher").await;
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    let path = format!("{KEYS}/{}/revoke", row(&app, "Publisher").await.key.id);

    let dialog = browser.get(&path).await;
    assert!(dialog.body.contains("role=\"alertdialog\"") && dialog.body.contains("Revoke “Publisher”?"));
    assert_eq!(
        publish(&app, &key).await,
        StatusCode::ACCEPTED,
        "the dialog revokes nothing"
    );
    let page = browser.post(&path, &[]).await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(KEYS))
    );
    assert_eq!(publish(&app, &key).await, StatusCode::UNAUTHORIZED);
    assert!(
        browser
            .get(KEYS)
            .await
            .body
            .contains("API key “Publisher” revoked.")
    );

    // A revoked key cannot be revoked again.
    assert_eq!(browser.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    let again = create(&mut browser, "Publisher").await;
    assert_eq!(publish(&app, &again).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn key_expires_exactly_even_when_cached() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let store = &*app.server().store;
    let actor = Actor::operator(app.account.clone());
    // Shorter than keys are cached.
    let expires_at = clock.now().plus(Duration::from_secs(3));
    let scopes = vec![EVENTS_WRITE.to_owned()];
    let created = api_key::create(store, &actor, "brief", scopes, Some(expires_at), clock.now()).await;
    let key = created.unwrap().1;
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    clock.advance(Duration::from_millis(2_999));
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    clock.advance(Duration::from_millis(1));
    assert_eq!(publish(&app, &key).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        publish(&app, &key).await,
        StatusCode::UNAUTHORIZED,
        "also without the cache"
    );

    let mut browser = app.signed_in(ADMIN).await;
    assert!(browser.get(KEYS).await.body.contains("Expired"));
    // The name is free, and an expiry date includes that day.
    let until_date = [
        ("name", "brief"),
        ("scopes", EVENTS_WRITE),
        ("expiry", "date"),
        ("date", "2026-11-23"),
    ];
    assert_eq!(browser.post(NEW, &until_date).await.status, StatusCode::OK);
    let ends: Vec<_> = rows(&app)
        .await
        .into_iter()
        .filter_map(|row| row.key.expires_at)
        .collect();
    assert!(
        ends.iter().any(|at| at.rfc3339() == "2026-11-24T00:00:00.000Z"),
        "{ends:?}"
    );
}

#[tokio::test]
async fn last_use_is_recorded_in_batches() {
    let mut app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let key = create(&mut browser, "Publisher").await;
    for _ in 0..3 {
        assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    }
    assert_eq!(
        row(&app, "Publisher").await.last_used_at,
        None,
        "the request does not write it"
    );
    app.server().auth.flush_key_uses().await.unwrap();
    let first = row(&app, "Publisher")
        .await
        .last_used_at
        .expect("the key was used");
    app.server().auth.flush_key_uses().await.unwrap();
    assert_eq!(
        row(&app, "Publisher").await.last_used_at,
        Some(first),
        "unchanged without another use"
    );

    // Pending uses are written on shutdown.
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    app = app.restart().await;
    assert!(row(&app, "Publisher").await.last_used_at > Some(first));
    let page = app.signed_in(ADMIN).await.get(KEYS).await.body;
    assert!(page.contains("just now") || page.contains("s ago"), "{page}");
}

#[tokio::test]
async fn only_admins_of_the_account_manage_keys() {
    let app = TestApp::start().await;
    let mut admin = app.signed_in(ADMIN).await;
    create(&mut admin, "Publisher").await;
    let revoke = format!("{KEYS}/{}/revoke", row(&app, "Publisher").await.key.id);
    for role in [Role::Viewer, Role::Member] {
        let email = format!("{role}@example.com");
        app.add_user(&email, role).await;
        let mut browser = app.signed_in(&email).await;
        for path in [
            KEYS,
            NEW,
            &revoke,
            "/settings/audit-log",
            "/settings/audit-log/export",
        ] {
            assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        }
        for path in [NEW, &revoke] {
            let response = browser.post(path, &form("Other", &[])).await;
            assert_eq!(response.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    app.key_of_another_account().await;
    let now = caleida::server::clock::SystemClock.now();
    let other_account = app.server().store.ensure_account("another", now).await.unwrap();
    let other_keys = app.server().store.of(&other_account).api_keys().await.unwrap();
    let page = admin.get(KEYS).await.body;
    assert!(!page.contains(other_keys[0].key.id.as_str()));
    let revoke = format!("{KEYS}/{}/revoke", other_keys[0].key.id);
    assert_eq!(admin.get(&revoke).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.post(&revoke, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        app.server().store.of(&other_account).api_keys().await.unwrap()[0].revoked_at,
        None
    );
}

async fn admin_of(program: &Program) -> Browser {
    let mut browser = program.api().browser();
    let page = browser
        .post("/login", &[("email", ADMIN), ("password", PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    browser
}

async fn status(api: &Api) -> StatusCode {
    api.publish(&format!("{:?}", std::time::Instant::now()).replace(|c: char| !c.is_ascii_alphanumeric(), ""))
        .await
        .unwrap()
        .status()
}

fn command(program: &Program, arguments: &[&str]) -> String {
    let output = program.run(&[&["api-key"], arguments].concat());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn cli_creates_lists_and_revokes_keys_of_running_server() {
    let program = Program::start(&[("CALEIDA_ADMIN_PASSWORD", PASSWORD)]).await;
    let create = [
        "create",
        "--name",
        "nightly",
        "--scope",
        EVENTS_WRITE,
        "--expires-in",
        "90d",
    ];
    let key = command(&program, &create);
    assert_eq!(
        (key.len(), key.lines().count()),
        (46, 1),
        "alone on stdout: {key}"
    );
    let api = program.api().with_key(&key);
    assert_eq!(status(&api).await, StatusCode::ACCEPTED);

    let again = program.output(&[&["api-key"], &create[..]].concat());
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("A key named “nightly” already exists."));

    let list = command(&program, &["list"]);
    let line = list.lines().find(|line| line.contains("nightly")).unwrap();
    assert!(
        line.contains(&format!("{}…", &key[..10])) && line.contains("active until"),
        "{line}"
    );
    assert!(!list.contains(&key));

    let revoked = command(&program, &["revoke", "--prefix", &key[..10]]);
    assert_eq!(revoked, "nightly is revoked.");
    assert_eq!(status(&api).await, StatusCode::UNAUTHORIZED);
    let twice = program.output(&["api-key", "revoke", "--prefix", &key[..10]]);
    assert_eq!(twice.status.code(), Some(1));
    assert!(command(&program, &["list"]).contains("revoked"));

    let log = admin_of(&program)
        .await
        .get("/settings/audit-log/export")
        .await
        .body;
    let entries: Vec<_> = log
        .lines()
        .filter(|line| line.contains("\"command line\"") && line.contains("api_key."))
        .collect();
    assert_eq!(entries.len(), 3, "{log}");
    assert!(entries[0].contains("api_key.revoked"), "{log}");
}

#[tokio::test]
async fn revocation_propagates_before_response() {
    let (_, programs) = processes(3).await;
    let mut browser = admin_of(&programs[0]).await;
    for round in 0..8 {
        let key = create(&mut browser, "Publisher").await;
        let apis: Vec<_> = programs
            .iter()
            .map(|program| program.api().with_key(&key))
            .collect();
        for api in &apis {
            assert_eq!(status(api).await, StatusCode::ACCEPTED, "round {round}");
        }
        // Use the key in every process during the revocation, so that a lookup may coincide with it.
        let mut requests = JoinSet::new();
        for api in apis.clone() {
            requests.spawn(async move { while status(&api).await == StatusCode::ACCEPTED {} });
        }
        if round % 2 == 0 {
            let page = browser.get(KEYS).await;
            let links = attributes(&page.body, "a[href*='/settings/api-keys/key_']", "href");
            let revoked = browser.post(&links[0], &[]).await;
            assert_eq!(revoked.status, StatusCode::SEE_OTHER, "{}", revoked.body);
        } else {
            command(&programs[round % 3], &["revoke", "--prefix", &key[..10]]);
        }
        for (number, api) in apis.iter().enumerate() {
            let response = status(api).await;
            assert_eq!(
                response,
                StatusCode::UNAUTHORIZED,
                "round {round}, process {number}"
            );
        }
        requests.join_all().await;
    }
}

#[tokio::test]
async fn frozen_process_rejects_key_revoked_meanwhile() {
    let (_, programs) = processes(2).await;
    let (frozen, awake) = (&programs[0], &programs[1]);
    let key = command(awake, &["create", "--name", "Publisher"]);
    let api = frozen.api().with_key(&key);
    assert_eq!(status(&api).await, StatusCode::ACCEPTED);
    frozen.freeze();
    // Succeeds without the frozen process, after a while.
    command(awake, &["revoke", "--prefix", &key[..10]]);
    assert_eq!(
        status(&awake.api().with_key(&key)).await,
        StatusCode::UNAUTHORIZED
    );
    frozen.thaw();
    for _ in 0..20 {
        assert_eq!(status(&api).await, StatusCode::UNAUTHORIZED);
    }
}
