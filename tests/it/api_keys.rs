//! API keys: made, shown once, used, revoked, expired; at one process and at several.

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
        program::{Api, Program},
    },
};

const KEYS: &str = "/settings/api-keys";
const NEW: &str = "/settings/api-keys/new";

fn form<'a>(name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let usual = [("name", name), ("expiry", "never"), ("scopes", EVENTS_WRITE)];
    [&usual, more].concat()
}

/// The key that a page shows.
fn key_in(page: &str) -> String {
    let start = page.find("ck_").expect("no key on the page");
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    page[start..].chars().take_while(|c| is_part(*c)).collect()
}

async fn make(browser: &mut Browser, name: &str) -> String {
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

/// What publishing an event with the key is answered.
async fn publish(app: &TestApp, key: &str) -> StatusCode {
    let request = app.anonymous(Method::POST, "/api/v1/events").bearer_auth(key);
    let body = r#"{"type":"chat","data":{}}"#;
    request.body(body).send().await.unwrap().status()
}

#[tokio::test]
async fn a_key_is_shown_by_the_answer_that_makes_it_and_never_again() {
    let mut app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let page = browser.post(NEW, &form("Publisher", &[])).await;
    assert_eq!((page.status, &page.location), (StatusCode::OK, &None));
    assert_eq!(page.headers["cache-control"], "no-store");
    let key = key_in(&page.body);
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    // Only what its scope allows.
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
    let made = row(&app, "Publisher").await;
    assert_eq!(made.created_by, Principal::User(ADMIN.to_owned()));
    assert_eq!(made.key.scopes, [EVENTS_WRITE]);
    app.stop().await;
    // Nor does the session or anything else in the database hold it.
    for file in ["caleida.db", "caleida.db-wal"] {
        let bytes = std::fs::read(app.data().join(file)).unwrap_or_default();
        assert!(
            !bytes.windows(key.len()).any(|window| window == key.as_bytes()),
            "{file}"
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_said_at_its_field_and_nothing_typed_is_lost() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    make(&mut browser, "Publisher").await;
    let today_is_over = [("expiry", "date"), ("date", "2020-02-29")];
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
            [
                &[("name", "Other <b>"), ("scopes", EVENTS_WRITE)],
                &today_is_over[..],
            ]
            .concat(),
            "Choose a day that is not over yet.",
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
    let made = rows(&app).await;
    assert_eq!(
        made.iter().filter(|row| row.key.name != "Publisher").count(),
        1,
        "the tests' own"
    );
}

#[tokio::test]
async fn a_revoked_key_opens_nothing_from_the_answer_on_and_its_name_is_free() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let key = make(&mut browser, "Publisher").await;
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    let path = format!("{KEYS}/{}/revoke", row(&app, "Publisher").await.key.id);

    let asked = browser.get(&path).await;
    assert!(asked.body.contains("role=\"alertdialog\"") && asked.body.contains("Revoke “Publisher”?"));
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED, "only asked");
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

    // Once more there is nothing to revoke, and no page that asks.
    assert_eq!(browser.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get(&path).await.status, StatusCode::NOT_FOUND);
    let again = make(&mut browser, "Publisher").await;
    assert_eq!(publish(&app, &again).await, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_key_is_good_until_the_millisecond_in_which_it_expires_also_where_it_is_remembered() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let store = &*app.server().store;
    let actor = Actor::operator(app.account.clone());
    // Shorter than a key is remembered.
    let end = clock.now().plus(Duration::from_secs(3));
    let scopes = vec![EVENTS_WRITE.to_owned()];
    let made = api_key::create(store, &actor, "brief", scopes, Some(end), clock.now()).await;
    let key = made.unwrap().1;
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    clock.advance(Duration::from_millis(2_999));
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    clock.advance(Duration::from_millis(1));
    assert_eq!(publish(&app, &key).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        publish(&app, &key).await,
        StatusCode::UNAUTHORIZED,
        "looked up anew"
    );

    let mut browser = app.signed_in(ADMIN).await;
    assert!(browser.get(KEYS).await.body.contains("Expired"));
    // Its name is free, and a key can be made until a day.
    let until = [
        ("name", "brief"),
        ("scopes", EVENTS_WRITE),
        ("expiry", "date"),
        ("date", "2026-11-23"),
    ];
    assert_eq!(browser.post(NEW, &until).await.status, StatusCode::OK);
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
async fn when_a_key_was_last_used_is_written_down_without_a_write_for_each_use() {
    let mut app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let key = make(&mut browser, "Publisher").await;
    for _ in 0..3 {
        assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    }
    assert_eq!(
        row(&app, "Publisher").await.last_used_at,
        None,
        "not with the request"
    );
    app.server().auth.write_key_uses().await.unwrap();
    let first = row(&app, "Publisher").await.last_used_at.expect("it was used");
    app.server().auth.write_key_uses().await.unwrap();
    assert_eq!(
        row(&app, "Publisher").await.last_used_at,
        Some(first),
        "nothing new"
    );

    // What was not written yet is written when the server stops.
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(publish(&app, &key).await, StatusCode::ACCEPTED);
    app = app.restart().await;
    assert!(row(&app, "Publisher").await.last_used_at > Some(first));
    let page = app.signed_in(ADMIN).await.get(KEYS).await.body;
    assert!(page.contains("just now") || page.contains("s ago"), "{page}");
}

#[tokio::test]
async fn keys_are_for_admins_and_nothing_crosses_accounts() {
    let app = TestApp::start().await;
    let mut admin = app.signed_in(ADMIN).await;
    make(&mut admin, "Publisher").await;
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
            let answer = browser.post(path, &form("Other", &[])).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        }
    }
    app.key_of_another_account().await;
    let now = caleida::server::clock::SystemClock.now();
    let elsewhere = app.server().store.ensure_account("another", now).await.unwrap();
    let theirs = app.server().store.of(&elsewhere).api_keys().await.unwrap();
    let page = admin.get(KEYS).await.body;
    assert!(!page.contains(theirs[0].key.id.as_str()));
    let revoke = format!("{KEYS}/{}/revoke", theirs[0].key.id);
    assert_eq!(admin.get(&revoke).await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.post(&revoke, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        app.server().store.of(&elsewhere).api_keys().await.unwrap()[0].revoked_at,
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
async fn a_command_makes_lists_and_revokes_keys_beside_a_server_that_obeys() {
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
    let of_commands: Vec<_> = log
        .lines()
        .filter(|line| line.contains("\"command line\"") && line.contains("api_key."))
        .collect();
    assert_eq!(of_commands.len(), 3, "{log}");
    assert!(of_commands[0].contains("api_key.revoked"), "{log}");
}

#[tokio::test]
async fn a_revocation_is_obeyed_by_all_processes_before_it_is_answered() {
    let (_, programs) = processes(3).await;
    let mut browser = admin_of(&programs[0]).await;
    for round in 0..8 {
        let key = make(&mut browser, "Publisher").await;
        let apis: Vec<_> = programs
            .iter()
            .map(|program| program.api().with_key(&key))
            .collect();
        for api in &apis {
            assert_eq!(status(api).await, StatusCode::ACCEPTED, "round {round}");
        }
        // While it is in use everywhere, so that it may be looked up at the very moment.
        let mut users = JoinSet::new();
        for api in apis.clone() {
            users.spawn(async move { while status(&api).await == StatusCode::ACCEPTED {} });
        }
        if round % 2 == 0 {
            let id = browser.get(KEYS).await.body;
            let id = id
                .split("/settings/api-keys/key_")
                .nth(1)
                .unwrap()
                .split('/')
                .next()
                .unwrap()
                .to_owned();
            let revoked = browser.post(&format!("{KEYS}/key_{id}/revoke"), &[]).await;
            assert_eq!(revoked.status, StatusCode::SEE_OTHER, "{}", revoked.body);
        } else {
            command(&programs[round % 3], &["revoke", "--prefix", &key[..10]]);
        }
        for (number, api) in apis.iter().enumerate() {
            let answer = status(api).await;
            assert_eq!(
                answer,
                StatusCode::UNAUTHORIZED,
                "round {round}, process {number}"
            );
        }
        users.join_all().await;
    }
}

#[tokio::test]
async fn a_process_that_was_frozen_does_not_take_a_key_that_was_revoked_meanwhile() {
    let (_, programs) = processes(2).await;
    let (frozen, awake) = (&programs[0], &programs[1]);
    let key = command(awake, &["create", "--name", "Publisher"]);
    let there = frozen.api().with_key(&key);
    assert_eq!(status(&there).await, StatusCode::ACCEPTED);
    frozen.freeze();
    // Answered without it, though not at once.
    command(awake, &["revoke", "--prefix", &key[..10]]);
    assert_eq!(
        status(&awake.api().with_key(&key)).await,
        StatusCode::UNAUTHORIZED
    );
    frozen.thaw();
    for _ in 0..20 {
        assert_eq!(status(&there).await, StatusCode::UNAUTHORIZED);
    }
}
