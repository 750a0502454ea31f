//! Signing in, in a browser without JavaScript, and access without a session.

use std::{sync::Arc, time::Duration};

use caleida::domain::Role;
use reqwest::{Method, StatusCode, header};

use crate::support::{
    app::{ADMIN, Options, PASSWORD, TestApp},
    clock::TestClock,
    program::Program,
};

/// Every page and form of the dashboard.
const GUARDED: [(Method, &str); 37] = [
    (Method::GET, "/integrations/webhook"),
    (Method::GET, "/integrations/webhook/new"),
    (Method::POST, "/integrations/webhook/new"),
    (Method::GET, "/integrations/webhook/wh_1"),
    (Method::POST, "/integrations/webhook/wh_1"),
    (Method::GET, "/integrations/webhook/wh_1/delete"),
    (Method::POST, "/integrations/webhook/wh_1/delete"),
    (Method::GET, "/integrations/webhook/wh_1/test"),
    (Method::POST, "/integrations/webhook/wh_1/test"),
    (Method::GET, "/integrations/webhook/wh_1/recover"),
    (Method::POST, "/integrations/webhook/wh_1/recover"),
    (Method::GET, "/integrations/webhook/events"),
    (Method::GET, "/integrations/webhook/event-types"),
    (
        Method::GET,
        "/integrations/webhook/event-types/chat/test?webhook=wh_1",
    ),
    (Method::GET, "/integrations/webhook/events/evt_1"),
    (Method::GET, "/integrations/webhook/events/evt_1/body"),
    (Method::GET, "/integrations/webhook/deliveries/dlv_1/response"),
    (Method::POST, "/integrations/webhook/deliveries/dlv_1"),
    (Method::GET, "/integrations/webhook/deliveries"),
    (Method::GET, "/integrations/webhook/wh_1/deliveries"),
    (Method::GET, "/integrations/webhook/deliveries/dlv_1"),
    (Method::GET, "/settings/account"),
    (Method::POST, "/settings/account"),
    (Method::GET, "/settings/time-zone"),
    (Method::POST, "/settings/time-zone"),
    (Method::POST, "/theme"),
    (Method::GET, "/settings/users"),
    (Method::POST, "/settings/users"),
    (Method::GET, "/settings/users/usr_1"),
    (Method::POST, "/settings/users/usr_1"),
    (Method::GET, "/settings/api-keys"),
    (Method::GET, "/settings/api-keys/new"),
    (Method::POST, "/settings/api-keys/new"),
    (Method::GET, "/settings/api-keys/key_1/revoke"),
    (Method::POST, "/settings/api-keys/key_1/revoke"),
    (Method::GET, "/settings/audit-log"),
    (Method::GET, "/settings/audit-log/export"),
];

#[tokio::test]
async fn pages_and_forms_require_sign_in() {
    let app = TestApp::start().await;
    for (method, path) in GUARDED {
        let response = app.anonymous(method.clone(), path).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{method} {path}");
        let location = response.headers()[header::LOCATION].to_str().unwrap();
        assert!(
            location.starts_with("/login"),
            "{method} {path} redirects to {location}"
        );
    }
}

#[tokio::test]
async fn sign_in_opens_requested_page_with_new_session() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.cookie = Some("caleida=AAAAAAAAAAAAAAAAAAAAAA".to_owned());
    let redirect = browser.get("/integrations/webhook?status=paused").await;
    let response = browser
        .post(
            &redirect.location.unwrap(),
            &[("email", ADMIN), ("password", PASSWORD)],
        )
        .await;
    assert_eq!(response.status, StatusCode::SEE_OTHER);
    assert_eq!(
        response.location.as_deref(),
        Some("/integrations/webhook?status=paused")
    );
    let cookie = response.set_cookie.expect("a session");
    assert!(!cookie.contains("AAAAAAAAAAAAAAAAAAAAAA"));
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "the public URL is not https");
    assert_eq!(browser.get("/integrations/webhook").await.status, StatusCode::OK);

    assert_eq!(browser.post("/logout", &[]).await.status, StatusCode::SEE_OTHER);
    browser.cookie = Some(cookie.split(';').next().unwrap().to_owned());
    assert_eq!(
        browser.get("/integrations/webhook").await.status,
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn session_cookie_is_secure_over_https() {
    let arguments = vec!["--public-url=https://caleida.example".to_owned()];
    let app = TestApp::start_with(Options {
        arguments,
        ..Options::default()
    })
    .await;
    let response = app
        .browser()
        .post("/login", &[("email", ADMIN), ("password", PASSWORD)])
        .await;
    let cookie = response.set_cookie.expect("a session");
    assert!(
        cookie.starts_with("__Host-") && cookie.contains("Secure"),
        "{cookie}"
    );
}

#[tokio::test]
async fn unknown_email_and_wrong_password_look_alike() {
    let app = TestApp::start().await;
    let wrong = app
        .browser()
        .post("/login", &[("email", ADMIN), ("password", "wrong")])
        .await;
    let unknown = app
        .browser()
        .post("/login", &[("email", "x@localhost"), ("password", "wrong")])
        .await;
    assert_eq!(
        (wrong.status, unknown.status),
        (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY)
    );
    assert!(wrong.body.contains("Email or password is wrong."));
    assert!(unknown.body.contains("Email or password is wrong."));
    assert!(wrong.set_cookie.is_none_or(|cookie| !cookie.contains("caleida=")));
}

#[tokio::test]
async fn password_guesses_are_limited_per_account() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Viewer).await;
    let mut statuses = Vec::new();
    for _ in 0..9 {
        statuses.push(
            app.browser()
                .post("/login", &[("email", ADMIN), ("password", "wrong")])
                .await
                .status,
        );
    }
    assert_eq!(statuses[7], StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(statuses[8], StatusCode::TOO_MANY_REQUESTS);
    let right = app
        .browser()
        .post("/login", &[("email", ADMIN), ("password", PASSWORD)])
        .await;
    assert_eq!(
        right.status,
        StatusCode::TOO_MANY_REQUESTS,
        "the right password is rejected too"
    );
    let other = app
        .browser()
        .post("/login", &[("email", "ADA@example.com"), ("password", PASSWORD)])
        .await;
    assert_eq!(other.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn delay_doubles_per_failure_and_resets_on_success() {
    let clock = Arc::new(TestClock::new());
    let app = TestApp::start_at(Arc::clone(&clock)).await;
    let sign_in = async |email: &'static str, password: &'static str| {
        let page = app
            .browser()
            .post("/login", &[("email", email), ("password", password)])
            .await;
        let delay = page
            .headers
            .get("retry-after")
            .map(|delay| delay.to_str().unwrap().parse::<u64>().unwrap());
        (page.status, delay)
    };
    for _ in 0..8 {
        assert_eq!(
            sign_in(ADMIN, "wrong").await,
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        );
    }
    for seconds in [30, 60, 120, 240] {
        // Rejected attempts do not extend the delay.
        for _ in 0..2 {
            assert_eq!(
                sign_in(ADMIN, PASSWORD).await,
                (StatusCode::TOO_MANY_REQUESTS, Some(seconds))
            );
        }
        clock.advance(Duration::from_secs(seconds));
        assert_eq!(
            sign_in(ADMIN, "wrong").await,
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        );
    }
    // Unknown users are limited in the same way.
    for _ in 0..8 {
        sign_in("unknown@example.com", "wrong").await;
    }
    assert_eq!(
        sign_in("unknown@example.com", "wrong").await,
        (StatusCode::TOO_MANY_REQUESTS, Some(30))
    );
    clock.advance(Duration::from_secs(480));
    assert_eq!(sign_in(ADMIN, PASSWORD).await.0, StatusCode::SEE_OTHER);
    assert_eq!(
        sign_in(ADMIN, "wrong").await,
        (StatusCode::UNPROCESSABLE_ENTITY, None)
    );
}

#[tokio::test]
async fn password_guesses_are_limited_per_address() {
    let app = TestApp::start().await;
    let mut last = StatusCode::OK;
    for index in 0..25 {
        let email = format!("user{index}@example.com");
        last = app
            .browser()
            .post("/login", &[("email", &email), ("password", "wrong")])
            .await
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn forwarded_address_counts_only_from_trusted_proxies() {
    for (trusted, expected) in [
        ("127.0.0.0/8", StatusCode::SEE_OTHER),
        ("10.0.0.0/8", StatusCode::TOO_MANY_REQUESTS),
    ] {
        let app = TestApp::start_with(Options {
            arguments: vec![format!("--trusted-proxies={trusted}")],
            ..Options::default()
        })
        .await;
        let sign_in = async |from: String, email: &str, password: &str| {
            let form = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs([("email", email), ("password", password)])
                .finish();
            let request = app
                .anonymous(Method::POST, "/login")
                .header("x-forwarded-for", from)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            request.body(form).send().await.unwrap().status()
        };
        // An attacker who adds forged addresses to the header.
        for index in 0..24 {
            sign_in(
                format!("192.0.2.{index}, 203.0.113.1"),
                &format!("u{index}@example.com"),
                "wrong",
            )
            .await;
        }
        let guesser = sign_in("203.0.113.1".to_owned(), ADMIN, PASSWORD).await;
        assert_eq!(guesser, StatusCode::TOO_MANY_REQUESTS, "{trusted}");
        let other = sign_in("198.51.100.7".to_owned(), ADMIN, PASSWORD).await;
        assert_eq!(other, expected, "{trusted}");
    }
}

/// Tries to sign in from an address, which a trusted proxy reports.
async fn sign_in_from(app: &TestApp, address: &str, email: &str, password: &str) -> StatusCode {
    let form = [("email", email), ("password", password)];
    let headers = [("x-forwarded-for", address)];
    app.browser().post_with("/login", &form, &headers).await.status
}

async fn behind_trusted_proxy() -> TestApp {
    TestApp::start_with(Options {
        arguments: vec!["--trusted-proxies=127.0.0.0/8".to_owned()],
        ..Options::default()
    })
    .await
}

#[tokio::test]
async fn ipv6_network_is_limited_like_one_address() {
    let app = behind_trusted_proxy().await;
    for index in 0..24 {
        // Azure Application Gateway appends the port.
        let address = format!("[2001:db8:1:2:{index:x}::{index:x}]:{}", 40_000 + index);
        let email = format!("user{index}@example.com");
        let status = sign_in_from(&app, &address, &email, "wrong").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{address}");
    }
    for (address, expected) in [
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", StatusCode::TOO_MANY_REQUESTS),
        ("2001:db8:1:3::1", StatusCode::SEE_OTHER),
    ] {
        let status = sign_in_from(&app, address, ADMIN, PASSWORD).await;
        assert_eq!(status, expected, "{address}");
    }
}

#[tokio::test]
async fn ipv6_network_is_limited_for_invites() {
    let app = behind_trusted_proxy().await;
    let open = async |address: String| {
        let request = app.anonymous(Method::GET, "/invite/unknown");
        let response = request.header("x-forwarded-for", address).send().await;
        response.unwrap().status()
    };
    for index in 0..24 {
        let status = open(format!("2001:db8:1:2::{index:x}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    assert_eq!(
        open("2001:db8:1:2:3::4".to_owned()).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(open("2001:db8:1:4::4".to_owned()).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn attacker_cannot_lock_out_browser_that_has_signed_in_before() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Viewer).await;
    let right = [("email", ADMIN), ("password", PASSWORD)];
    let wrong = [("email", ADMIN), ("password", "wrong")];
    let mut known = app.browser();
    let token = known.post("/login", &right).await.cookie("caleida-browser");
    let other = app
        .browser()
        .post("/login", &[("email", "ada@example.com"), ("password", PASSWORD)])
        .await
        .cookie("caleida-browser");
    // The attacker locks the account and the address, which all share here.
    for index in 0..30 {
        let email = format!("user{index}@example.com");
        for email in [ADMIN, &email] {
            let form = [("email", email), ("password", "wrong")];
            app.browser().post("/login", &form).await;
        }
    }
    let sign_in = async |token: &str, form: &[(&str, &str)]| {
        let cookie = format!("caleida-browser={token}");
        let page = app
            .browser()
            .post_with("/login", form, &[("cookie", &cookie)])
            .await;
        page.status
    };
    for stranger in ["", "AAAA", &other, &token[..40]] {
        assert_eq!(
            sign_in(stranger, &right).await,
            StatusCode::TOO_MANY_REQUESTS,
            "{stranger}"
        );
    }
    assert_eq!(sign_in(&token, &right).await, StatusCode::SEE_OTHER);
    let change = [("old", PASSWORD), ("new", "another long password")];
    // A known browser is limited too, until it signs in.
    for _ in 0..7 {
        assert_eq!(sign_in(&token, &wrong).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(sign_in(&token, &right).await, StatusCode::SEE_OTHER);
    for _ in 0..8 {
        assert_eq!(sign_in(&token, &wrong).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(sign_in(&token, &right).await, StatusCode::TOO_MANY_REQUESTS);
    // The session can still change the password.
    let page = known.post("/settings/account", &change).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
}

#[tokio::test]
async fn set_password_command_unlocks_the_account() {
    let program = Program::start(&[("CALEIDA_ADMIN_PASSWORD", PASSWORD)]).await;
    let api = program.api();
    let sign_in = async |password: &str| {
        let form = [("email", ADMIN), ("password", password)];
        api.browser().post("/login", &form).await.status
    };
    for _ in 0..8 {
        sign_in("wrong").await;
    }
    assert_eq!(sign_in(PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    let set_password = ["user", "set-password", "--email", ADMIN, "--password-stdin"];
    program.run_with(&set_password, PASSWORD);
    assert_eq!(sign_in(PASSWORD).await, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn disabled_user_is_signed_out_at_once() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Viewer).await;
    let mut browser = app.signed_in("ada@example.com").await;
    assert_eq!(browser.get("/integrations/webhook").await.status, StatusCode::OK);
    app.disable("ada@example.com").await;
    assert_eq!(
        browser.get("/integrations/webhook").await.status,
        StatusCode::SEE_OTHER
    );
    let again = browser
        .post("/login", &[("email", "ada@example.com"), ("password", PASSWORD)])
        .await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn sign_in_never_redirects_to_another_site() {
    let app = TestApp::start().await;
    for next in [
        "//evil.example",
        "https:%2F%2Fevil.example",
        "/%5Cevil.example",
        "javascript:alert(1)",
        "/a%0D%0Ab",
    ] {
        let form = [("email", ADMIN), ("password", PASSWORD)];
        let location = app
            .browser()
            .post(&format!("/login?next={next}"), &form)
            .await
            .location
            .unwrap();
        assert_eq!(location, "/integrations/webhook", "{next:?}");
    }
}

#[tokio::test]
async fn cross_site_requests_are_rejected() {
    let app = TestApp::start().await;
    let browser = app.signed_in(ADMIN).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let request = app.anonymous(Method::POST, "/integrations/webhook/new");
        let request = request
            .header(header::COOKIE, browser.cookie.clone().unwrap())
            .header(name, value);
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::FORBIDDEN,
            "{name}"
        );
    }
}

#[tokio::test]
async fn database_contains_no_plaintext_secrets() {
    let mut app = TestApp::start().await;
    let browser = app.signed_in(ADMIN).await;
    let webhook = app.add_webhook("quiet", "https://example.com/", &["chat"]).await;
    let key = app.key_with(&["events:write"]).await;
    app.stop().await;
    let cookie = browser.cookie.unwrap();
    let secret = webhook["secret"].as_str().unwrap();
    for file in ["caleida.db", "caleida.db-wal"] {
        let Ok(bytes) = std::fs::read(app.data().join(file)) else {
            continue;
        };
        for hidden in [PASSWORD, cookie.split('=').nth(1).unwrap(), &key, secret] {
            assert!(
                !bytes
                    .windows(hidden.len())
                    .any(|window| window == hidden.as_bytes()),
                "{file}"
            );
        }
    }
}
