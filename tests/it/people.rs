//! Users, invites and sessions, in a browser without JavaScript.

use std::{sync::Arc, time::Duration};

use caleida::domain::Role;
use reqwest::StatusCode;
use sqlx::{Connection, SqliteConnection};

use crate::support::{
    app::{ADMIN, Options, PASSWORD, TestApp},
    browser::{Browser, Page},
    clock::TestClock,
    html::copyable,
    program::Program,
};

const USERS: &str = "/settings/users";
const ACCOUNT: &str = "/settings/account";
const LIST: &str = "/integrations/webhook";
// Buttons on the pages of a user and of the own account.
const DISABLE: [(&str, &str); 1] = [("do", "disable")];
const ENABLE: [(&str, &str); 1] = [("do", "enable")];
const END_OTHERS: [(&str, &str); 1] = [("do", "end-others")];
const NEW_PASSWORD: &str = "quite another password";

/// Invites a user and returns the path of the link.
async fn invite(browser: &mut Browser, email: &str, role: &str) -> String {
    let page = browser.post(USERS, &[("email", email), ("role", role)]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    link_in(&page)
}

fn link_in(page: &Page) -> String {
    let link = copyable(&page.body);
    link[link.find("/invite/").expect("a link")..].to_owned()
}

async fn accept(app: &TestApp, link: &str, password: &str) -> (Browser, Page) {
    let mut browser = app.browser();
    let page = browser.post(link, &[("password", password)]).await;
    (browser, page)
}

/// Returns actor and action of each entry in the audit log, oldest first.
async fn audit_log(app: &TestApp) -> Vec<(String, String)> {
    let url = format!("sqlite://{}", app.data().join("caleida.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let query = sqlx::query_as("select actor, action from audit_log order by at, id");
    let entries = query.fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    entries
}

#[tokio::test]
async fn invited_user_sets_password_and_is_signed_in() {
    let app = TestApp::start().await;
    let mut admin = app.signed_in(ADMIN).await;
    let link = invite(&mut admin, " Ada@Example.com", "member").await;
    let list = admin.get(USERS).await.body;
    assert!(list.contains("ada@example.com") && list.contains("Invited"));
    assert!(!list.contains(&link), "the link is shown once");

    let page = app.browser().get(&link).await;
    assert_eq!(page.status, StatusCode::OK);
    for shown in ["ada@example.com", "default", "member"] {
        assert!(page.body.contains(shown), "{shown}");
    }
    for (password, error) in [
        ("too short", "Use at least 12 characters."),
        (&"x".repeat(257), "Use at most 256 characters."),
    ] {
        let (_, page) = accept(&app, &link, password).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(error), "{}", page.body);
    }
    let (mut ada, page) = accept(&app, &link, NEW_PASSWORD).await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(LIST))
    );
    assert_eq!(ada.get(LIST).await.status, StatusCode::OK);
    assert_eq!(ada.get("/integrations/webhook/new").await.status, StatusCode::OK);
    assert_eq!(ada.get(USERS).await.status, StatusCode::FORBIDDEN);
    let form = [("email", "ada@example.com"), ("password", NEW_PASSWORD)];
    assert_eq!(
        app.browser().post("/login", &form).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn unusable_invite_links_look_alike() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let mut admin = app.signed_in(ADMIN).await;
    let expired = invite(&mut admin, "late@example.com", "viewer").await;
    clock.advance(Duration::from_secs(7 * 24 * 60 * 60));
    let mut admin = app.signed_in(ADMIN).await;
    let used = invite(&mut admin, "ada@example.com", "viewer").await;
    assert_eq!(
        accept(&app, &used, NEW_PASSWORD).await.1.status,
        StatusCode::SEE_OTHER
    );
    let renewed = invite(&mut admin, "bob@example.com", "viewer").await;
    let id = admin.get(USERS).await.hidden("invite");
    let revoked = link_in(&admin.post(USERS, &[("do", "renew"), ("invite", &id)]).await);
    assert_ne!(renewed, revoked);
    let taken = invite(&mut admin, "carol@example.com", "viewer").await;
    app.add_user("carol@example.com", Role::Viewer).await;
    let revoke = [("do", "revoke"), ("invite", &*id)];
    assert_eq!(admin.post(USERS, &revoke).await.status, StatusCode::SEE_OTHER);

    let unknown = "/invite/no-such-token".to_owned();
    let mut pages = Vec::new();
    for link in [&unknown, &expired, &used, &renewed, &revoked] {
        pages.push(app.browser().get(link).await);
        pages.push(accept(&app, link, NEW_PASSWORD).await.1);
        pages.push(accept(&app, link, "short").await.1);
    }
    pages.push(accept(&app, &taken, NEW_PASSWORD).await.1);
    for page in &pages {
        assert_eq!(page.status, StatusCode::NOT_FOUND);
        assert_eq!(without_nonce(page), without_nonce(&pages[0]));
    }
}

/// Returns the body without the nonce, which differs on each page.
fn without_nonce(page: &Page) -> String {
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let (_, nonce) = policy.split_once("'nonce-").unwrap();
    let (nonce, _) = nonce.split_once('\'').unwrap();
    page.body.replace(nonce, "")
}

#[tokio::test]
async fn invite_guesses_are_limited_per_address() {
    let app = TestApp::start().await;
    let mut admin = app.signed_in(ADMIN).await;
    let link = invite(&mut admin, "ada@example.com", "viewer").await;
    for index in 0..24 {
        let page = app.browser().get(&format!("/invite/guess-{index}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    }
    let page = app.browser().get("/invite/guess").await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let delay: u64 = page.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&delay), "{delay}");
    let (_, page) = accept(&app, &link, NEW_PASSWORD).await;
    assert_eq!(
        page.status,
        StatusCode::TOO_MANY_REQUESTS,
        "valid links are blocked too"
    );
    app.signed_in(ADMIN).await;
}

#[tokio::test]
async fn rejected_invite_says_what_to_do() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Viewer).await;
    app.add_user("gone@example.com", Role::Viewer).await;
    app.disable("gone@example.com").await;
    let mut admin = app.signed_in(ADMIN).await;
    invite(&mut admin, "bob@example.com", "viewer").await;
    for (email, error) in [
        ("no-email", "Enter an email address, such as ada@example.com."),
        (
            "ada@example.com",
            "ada@example.com already belongs to this account.",
        ),
        (
            "gone@example.com",
            "gone@example.com is disabled. Enable this user instead.",
        ),
        (
            "bob@example.com",
            "bob@example.com is already invited. Create a new link in the list above.",
        ),
    ] {
        let page = admin.post(USERS, &[("email", email), ("role", "admin")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{email}");
        assert!(page.body.contains(error), "{email}: {}", page.body);
        assert!(page.body.contains("aria-invalid=\"true\""), "{email}");
        assert!(
            page.body.contains(&format!("value=\"{email}\"")),
            "the input is kept"
        );
    }
}

#[tokio::test]
async fn last_admin_cannot_be_disabled_or_demoted() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Admin).await;
    let mut admin = app.signed_in(ADMIN).await;
    let (own, ada) = (
        app.person(ADMIN).await.user.id,
        app.person("ada@example.com").await.user.id,
    );
    let (own, ada) = (format!("{USERS}/{own}"), format!("{USERS}/{ada}"));
    let page = admin.post(&ada, &DISABLE).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    for form in [DISABLE, [("role", "viewer")]] {
        let page = admin.post(&own, &form).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        let refusal =
            "admin@localhost is the last active admin of this account. Make another user an admin first.";
        assert!(page.body.contains(refusal), "{}", page.body);
    }
    let person = app.person(ADMIN).await;
    assert_eq!((person.user.role, person.disabled_at), (Role::Admin, None));

    // With another active admin, the demotion succeeds.
    admin.post(&ada, &ENABLE).await;
    let page = admin.post(&own, &[("role", "viewer")]).await;
    assert_eq!(page.location.as_deref(), Some(ACCOUNT));
    assert_eq!(admin.get(USERS).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn disabling_user_ends_their_sessions() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Member).await;
    let mut admin = app.signed_in(ADMIN).await;
    let mut ada = app.signed_in("ada@example.com").await;
    let path = format!("{USERS}/{}", app.person("ada@example.com").await.user.id);
    admin.post(&path, &DISABLE).await;
    assert!(
        admin
            .get(USERS)
            .await
            .body
            .contains("ada@example.com was disabled and signed out.")
    );
    assert_eq!(ada.get(LIST).await.status, StatusCode::SEE_OTHER);
    admin.post(&path, &ENABLE).await;
    assert_eq!(
        ada.get(LIST).await.status,
        StatusCode::SEE_OTHER,
        "the old session stays ended"
    );
    app.signed_in("ada@example.com").await;
}

#[tokio::test]
async fn new_password_ends_other_sessions_and_renews_session_id() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let mut other_browser = app.signed_in(ADMIN).await;
    let before = browser.cookie.clone().unwrap();
    for (old, new, error) in [
        ("not the password", NEW_PASSWORD, "This is not your password."),
        (PASSWORD, "short", "Use at least 12 characters."),
    ] {
        let page = browser.post(ACCOUNT, &[("old", old), ("new", new)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(error), "{}", page.body);
    }
    assert_eq!(other_browser.get(LIST).await.status, StatusCode::OK);
    let page = browser
        .post(ACCOUNT, &[("old", PASSWORD), ("new", NEW_PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    assert_ne!(browser.cookie.clone().unwrap(), before);
    let account = browser.get(ACCOUNT).await;
    assert!(account.body.contains("Your password was changed."));
    assert_eq!(account.body.matches("This session").count(), 1);
    assert!(!account.body.contains("End all other sessions"));
    assert_eq!(other_browser.get(LIST).await.status, StatusCode::SEE_OTHER);
    browser.cookie = Some(before);
    assert_eq!(
        browser.get(LIST).await.status,
        StatusCode::SEE_OTHER,
        "the old session ID is invalid"
    );

    let old = [("email", ADMIN), ("password", PASSWORD)];
    assert_eq!(
        app.browser().post("/login", &old).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let new = [("email", ADMIN), ("password", NEW_PASSWORD)];
    assert_eq!(
        app.browser().post("/login", &new).await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn old_password_guesses_count_as_login_failures() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    for _ in 0..8 {
        let page = browser
            .post(ACCOUNT, &[("old", "a guess"), ("new", NEW_PASSWORD)])
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let page = browser
        .post(ACCOUNT, &[("old", PASSWORD), ("new", NEW_PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let form = [("email", ADMIN), ("password", PASSWORD)];
    assert_eq!(
        app.browser().post("/login", &form).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        browser.get(LIST).await.status,
        StatusCode::OK,
        "the current session stays valid"
    );
}

#[tokio::test]
async fn sessions_can_be_listed_and_ended() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let mut browser = app.signed_in(ADMIN).await;
    let mut second = app.signed_in(ADMIN).await;
    let mut third = app.signed_in(ADMIN).await;
    clock.advance(Duration::from_secs(59));
    browser.get(LIST).await;
    let user = app.person(ADMIN).await.user;
    let last_seen_at = async || {
        let sessions = app
            .server()
            .store
            .of(&user.account_id)
            .user_sessions(&user.id, TestClock::START)
            .await
            .unwrap();
        sessions[0].last_seen_at
    };
    assert_eq!(
        last_seen_at().await,
        TestClock::START,
        "written at most once a minute"
    );
    clock.advance(Duration::from_secs(1));
    browser.get(LIST).await;
    assert_eq!(
        last_seen_at().await,
        TestClock::START.plus(Duration::from_secs(60))
    );

    let page = browser.get(ACCOUNT).await;
    assert_eq!(page.body.matches("127.0.0.1").count(), 3);
    let session = page.hidden("session");
    let end = [("do", "end-session"), ("session", &*session)];
    assert_eq!(browser.post(ACCOUNT, &end).await.status, StatusCode::SEE_OTHER);
    let statuses = [second.get(LIST).await.status, third.get(LIST).await.status];
    assert!(
        statuses.contains(&StatusCode::OK) && statuses.contains(&StatusCode::SEE_OTHER),
        "{statuses:?}"
    );
    assert_eq!(browser.post(ACCOUNT, &end).await.status, StatusCode::NOT_FOUND);

    browser.post(ACCOUNT, &END_OTHERS).await;
    let page = browser.get(ACCOUNT).await;
    assert!(page.body.contains("1 session was ended."), "{}", page.body);
    for browser in [&mut second, &mut third] {
        assert_eq!(browser.get(LIST).await.status, StatusCode::SEE_OTHER);
    }
}

#[tokio::test]
async fn active_session_is_extended() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let mut browser = app.signed_in(ADMIN).await;
    clock.advance(Duration::from_secs(60));
    let page = browser.get(LIST).await;
    let cookie = page.set_cookie.expect("the cookie is renewed");
    assert!(cookie.contains("Max-Age=604800"), "{cookie}");
    assert!(
        browser.get(LIST).await.set_cookie.is_none(),
        "not on every request"
    );
}

#[tokio::test]
async fn user_changes_are_in_audit_log() {
    let app = TestApp::start().await;
    let mut admin = app.signed_in(ADMIN).await;
    let link = invite(&mut admin, "ada@example.com", "viewer").await;
    let page = admin.get(USERS).await;
    let id = page.hidden("invite");
    let renewed = link_in(&admin.post(USERS, &[("do", "renew"), ("invite", &id)]).await);
    assert_ne!(renewed, link);
    let (mut ada, _) = accept(&app, &renewed, NEW_PASSWORD).await;
    invite(&mut admin, "bob@example.com", "viewer").await;
    let id = admin.get(USERS).await.hidden("invite");
    admin.post(USERS, &[("do", "revoke"), ("invite", &id)]).await;
    let path = format!("{USERS}/{}", app.person("ada@example.com").await.user.id);
    admin.post(&path, &[("role", "member")]).await;
    // An unchanged role is not recorded.
    admin.post(&path, &[("role", "member")]).await;
    let password = [("old", NEW_PASSWORD), ("new", PASSWORD)];
    ada.post(ACCOUNT, &password).await;
    app.signed_in("ada@example.com").await;
    ada.post(ACCOUNT, &END_OTHERS).await;
    admin.post(&path, &DISABLE).await;
    admin.post(&path, &ENABLE).await;
    for email in ["ada@example.com", "unknown@example.com"] {
        app.browser()
            .post("/login", &[("email", email), ("password", "wrong")])
            .await;
    }
    let (root, ada) = ("user:admin@localhost", "user:ada@example.com");
    let expected = [
        ("operator", "user.added"),
        ("operator", "api_key.created"),
        (root, "user.signed_in"),
        (root, "user.invited"),
        (root, "invite.renewed"),
        (ada, "user.joined"),
        (ada, "user.signed_in"),
        (root, "user.invited"),
        (root, "invite.revoked"),
        (root, "user.role_changed"),
        (ada, "user.password_changed"),
        (ada, "user.signed_in"),
        (ada, "session.ended"),
        (root, "user.disabled"),
        (root, "user.enabled"),
        (ada, "user.sign_in_refused"),
    ];
    let entries = audit_log(&app).await;
    let entries: Vec<_> = entries
        .iter()
        .map(|(actor, action)| (actor.as_str(), action.as_str()))
        .collect();
    assert_eq!(entries, expected);
}

#[tokio::test]
async fn invite_link_uses_public_url() {
    let arguments = vec!["--public-url=https://caleida.example/".to_owned()];
    let app = TestApp::start_with(Options {
        arguments,
        ..Options::default()
    })
    .await;
    let mut admin = app.signed_in(ADMIN).await;
    let page = admin
        .post(USERS, &[("email", "ada@example.com"), ("role", "viewer")])
        .await;
    assert!(
        page.body.contains(">https://caleida.example/invite/"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn database_contains_no_invite_token() {
    let mut app = TestApp::start().await;
    let mut admin = app.signed_in(ADMIN).await;
    let link = invite(&mut admin, "ada@example.com", "viewer").await;
    app.stop().await;
    let token = link.strip_prefix("/invite/").unwrap();
    assert_eq!(token.len(), 43);
    for file in ["caleida.db", "caleida.db-wal"] {
        if let Ok(bytes) = std::fs::read(app.data().join(file)) {
            assert!(
                !bytes
                    .windows(token.len())
                    .any(|window| window == token.as_bytes()),
                "{file}"
            );
        }
    }
}

#[tokio::test]
async fn cli_manages_users() {
    let program = Program::start(&[("CALEIDA_ADMIN_PASSWORD", PASSWORD)]).await;
    let run = |arguments: &[&str]| {
        let output = program.output(arguments);
        let text = if output.status.success() {
            output.stdout
        } else {
            output.stderr
        };
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    };
    let invite = ["user", "invite", "--email", "ada@example.com", "--role", "viewer"];
    let (code, link) = run(&[&invite[..], &["--public-url", "https://caleida.example"]].concat());
    assert_eq!(code, 0, "{link}");
    let token = link
        .trim_end()
        .strip_prefix("https://caleida.example/invite/")
        .expect("prints only the link");
    let mut ada = program.api().browser();
    let page = ada
        .post(&format!("/invite/{token}"), &[("password", NEW_PASSWORD)])
        .await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(
        run(&invite),
        (1, "caleida: user ada@example.com already exists\n".to_owned())
    );

    let set_role = |role: &str| run(&["user", "set-role", "--email", "Ada@example.com", "--role", role]);
    assert_eq!(
        set_role("admin"),
        (0, "ada@example.com now has the role admin.\n".to_owned())
    );
    assert_eq!(ada.get(USERS).await.status, StatusCode::OK);
    assert_eq!(run(&["user", "disable", "--email", ADMIN]).0, 0);
    let last_admin = "is the last active admin of the account: make another user an admin first\n";
    for refused in [
        set_role("member"),
        run(&["user", "disable", "--email", "ada@example.com"]),
    ] {
        assert_eq!(refused, (1, format!("caleida: ada@example.com {last_admin}")));
    }
    assert_eq!(
        run(&["user", "list"]).1,
        "default  ada@example.com  admin\ndefault  admin@localhost  admin  disabled\n"
    );
    assert_eq!(run(&["user", "enable", "--email", ADMIN]).0, 0);
    assert_eq!(run(&["user", "enable", "--email", "unknown@example.com"]).0, 1);

    program.run_with(
        &[
            "user",
            "set-password",
            "--email",
            "ada@example.com",
            "--password-stdin",
        ],
        PASSWORD,
    );
    assert_eq!(
        ada.get(LIST).await.status,
        StatusCode::SEE_OTHER,
        "the new password ended the sessions"
    );
    let form = [("email", "ada@example.com"), ("password", PASSWORD)];
    assert_eq!(
        program.api().browser().post("/login", &form).await.status,
        StatusCode::SEE_OTHER
    );
}
