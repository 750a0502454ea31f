//! Rejected forms: as JSON from server functions, and as pages without JavaScript.

use std::sync::Arc;

use futures_util::stream;
use reqwest::{Body, Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    ACCOUNT, ADD, CHANGE_PASSWORD, DELETE, EDIT, Fixture, LIST, NEW, ORDERS, PAUSE, REVEAL, ROTATE, TEST,
    assert_error, assert_is_function_response, assert_no_header_has, call, call_with, escaped, value_of,
};
use crate::support::{
    app::{ADMIN, Options, PASSWORD, TestApp},
    browser::Page,
    clock::TestClock,
    html::texts,
    receiver::Receiver,
};

const NEW_PASSWORD: &str = "quite another password";
const ADD_KEY: &str = "/settings/actions/add-api-key";
const INVITE: &str = "/settings/actions/invite-user";

/// An invalid form with its expected field errors.
struct Case {
    function: &'static str,
    page: &'static str,
    form: &'static [(&'static str, &'static str)],
    errors: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 9] = [
    Case {
        function: ADD,
        page: NEW,
        form: &[
            ("url", "ftp://example.com/typed"),
            ("name", " "),
            ("secret", "too short"),
        ],
        errors: &[
            ("url", "Enter a URL that starts with https://."),
            ("name", "Enter a name for the webhook."),
            ("secret", "Use at least 24 characters for the secret."),
            ("events", "Choose at least one event."),
        ],
    },
    Case {
        function: ADD,
        page: NEW,
        form: &[
            ("url", "https://ada:typed-password@example.com/"),
            ("name", "Orders"),
            ("secret", ""),
            ("events", "chat"),
        ],
        errors: &[(
            "url",
            "Remove the user name and password from the URL. Receivers authenticate calls by their signature.",
        )],
    },
    Case {
        function: ADD,
        page: NEW,
        form: &[
            ("url", "https://example.com/"),
            ("name", "Typed <b>name</b>"),
            ("secret", "whsec_not-base64-but-typed"),
            ("events", "chat"),
        ],
        errors: &[(
            "secret",
            "After whsec_, use the base64 encoding of 24 to 64 bytes. To use the text as it is, remove whsec_.",
        )],
    },
    Case {
        function: ADD_KEY,
        page: "/settings/api-keys/new",
        form: &[("name", " "), ("expiry", "date")],
        errors: &[
            ("name", "Enter a name for the key."),
            ("scopes", "Choose at least one scope."),
            ("date", "Enter a date."),
        ],
    },
    Case {
        function: INVITE,
        page: "/settings/users",
        form: &[("email", "not-an-email"), ("role", "admin")],
        errors: &[("email", "Enter an email address, such as ada@example.com.")],
    },
    Case {
        function: INVITE,
        page: "/settings/users",
        form: &[("email", ADMIN), ("role", "admin")],
        errors: &[("email", "admin@localhost already belongs to this account.")],
    },
    Case {
        function: CHANGE_PASSWORD,
        page: ACCOUNT,
        form: &[("old", PASSWORD), ("new", "too short")],
        errors: &[("new", "Use at least 12 characters.")],
    },
    Case {
        function: CHANGE_PASSWORD,
        page: ACCOUNT,
        form: &[("old", "not the password"), ("new", NEW_PASSWORD)],
        errors: &[("old", "This is not your password.")],
    },
    Case {
        function: "/settings/actions/add-api-key",
        page: "/settings/api-keys/new",
        form: &[
            ("name", "Publisher"),
            ("scopes", "events:write"),
            ("expiry", "date"),
            ("date", "2020-02-29"),
        ],
        errors: &[("date", "Choose today or a later day.")],
    },
];

#[tokio::test]
async fn invalid_fields_show_their_messages() {
    let fixture = &mut Fixture::start().await;
    for case in CASES {
        let response = call(&mut fixture.browser, case.function, case.form).await;
        let json = assert_error(&response, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        let errors: Vec<_> = case
            .errors
            .iter()
            .map(|(name, message)| json!({ "name": name, "message": message }))
            .collect();
        assert_eq!(json["fields"], Value::Array(errors));
        assert_eq!((&json["part"], &json["version"]), (&Value::Null, &Value::Null));

        let page = fixture.browser.post(case.page, case.form).await;
        assert_eq!(page.status, response.status, "{}", page.body);
        let invalid = page.body.matches("aria-invalid=\"true\"").count();
        assert!(invalid >= 1, "{}", page.body);
        for (name, message) in case.errors {
            let shown = texts(&page.body, &format!("#{name}-error"));
            assert_eq!(shown, [message.to_owned()], "{name}");
        }
        assert_keeps_input(&page, case.form);
    }
    assert_eq!(fixture.count().await, 1);
}

/// Asserts that the page keeps what was typed, except passwords, and that no header contains it.
fn assert_keeps_input(page: &Page, form: &[(&str, &str)]) {
    for (name, value) in form.iter().filter(|(_, value)| value.len() >= 8) {
        assert_no_header_has(page, name, value);
        let is_password = ["old", "new"].contains(name);
        let typed = escaped(value);
        assert_eq!(page.body.contains(&typed), !is_password, "{name}: {}", page.body);
    }
}

#[tokio::test]
async fn taken_name_is_a_conflict() {
    let fixture = &mut Fixture::start().await;
    let message = "A webhook named “Orders & more” already exists.";
    let response = call(&mut fixture.browser, ADD, &ORDERS).await;
    let json = assert_error(&response, StatusCode::CONFLICT, "name_taken");
    assert_eq!(json["fields"], json!([{ "name": "name", "message": message }]));
    let page = fixture.browser.post(NEW, &ORDERS).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains(&escaped(message)), "{}", page.body);
    assert_keeps_input(&page, &ORDERS);
    assert_eq!(fixture.count().await, 1);

    // Renaming another webhook to the taken name is a conflict, too.
    let other = fixture
        .app
        .add_webhook("Other", "https://example.com/", &["chat"])
        .await;
    let id = other["id"].as_str().unwrap();
    let form = [
        ("id", id),
        ("url", "https://example.com/typed"),
        ("name", "Orders & more"),
        ("events", "chat"),
    ];
    let response = call(&mut fixture.browser, EDIT, &form).await;
    assert_error(&response, StatusCode::CONFLICT, "name_taken");
    let page = fixture.browser.post(&format!("{LIST}/{id}"), &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(value_of(&page, "url"), "https://example.com/typed");
    assert!(page.body.contains(&escaped(message)), "{}", page.body);
}

#[tokio::test]
async fn webhook_limit_rejects_new_webhooks() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--max-webhooks=1".to_owned()],
        ..Options::default()
    })
    .await;
    app.add_webhook("first", "https://example.com/", &["chat"]).await;
    let mut browser = app.signed_in(ADMIN).await;
    let response = call(&mut browser, ADD, &ORDERS).await;
    let json = assert_error(&response, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    assert_eq!(json["fields"], json!([]));
    let message = json["message"].as_str().unwrap();
    assert!(
        message.starts_with("This account has reached its limit of webhooks (1)"),
        "{message}"
    );
    let page = browser.post(NEW, &ORDERS).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains(message), "{}", page.body);
    assert_keeps_input(&page, &ORDERS);
}

#[tokio::test]
async fn unknown_ids_return_404() {
    let fixture = &mut Fixture::start().await;
    let typed = [
        ("url", "https://example.com/typed"),
        ("name", "typed by a user"),
        ("events", "chat"),
    ];
    for id in [
        "wh_0",
        "wh_00000000000000000000000000000000",
        "",
        "../new",
        "usr_0",
    ] {
        let form = [typed[0], typed[1], typed[2], ("id", id)];
        let response = call(&mut fixture.browser, EDIT, &form).await;
        let json = assert_error(&response, StatusCode::NOT_FOUND, "not_found");
        assert_eq!(
            json["message"],
            "This no longer exists. It may have been deleted."
        );
        assert!(!response.body.contains("typed"), "{}", response.body);
    }
    let page = fixture.browser.post(&format!("{LIST}/wh_0"), &typed).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let form = [("id", &*fixture.id)];
    for function in [DELETE, PAUSE, REVEAL, ROTATE, TEST, DELETE] {
        fixture
            .app
            .delete(&format!("/api/v1/webhooks/{}", fixture.id))
            .await;
        let response = call(&mut fixture.browser, function, &form).await;
        assert_error(&response, StatusCode::NOT_FOUND, "not_found");
    }
}

#[tokio::test]
async fn malformed_form_is_rejected_and_not_echoed() {
    let fixture = &mut Fixture::start().await;
    let form = [
        ("id", &*fixture.id),
        ("version", "seven-typed"),
        ("name", "New name"),
    ];
    let response = call(&mut fixture.browser, EDIT, &form).await;
    let json = assert_error(&response, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    assert_eq!(
        json["message"],
        "This form could not be read. Reload the page and fill it in again."
    );
    assert_eq!(json["fields"], json!([]));
    assert!(!response.body.contains("seven-typed"));
    let page = fixture.browser.post(&fixture.page, &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("This form could not be read"), "{}", page.body);
    assert!(!page.body.contains("seven-typed"));
    assert_eq!(fixture.stored().await["name"], "Orders & more");
}

#[tokio::test]
async fn forms_over_64_kib_are_too_large() {
    let fixture = &mut Fixture::start().await;
    let large = "x".repeat(64 * 1024);
    let form = [ORDERS[0], ("name", &*large), ORDERS[3]];
    let response = call(&mut fixture.browser, ADD, &form).await;
    let json = assert_error(&response, StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    assert_eq!(
        json["message"],
        "The form is too large. Shorten your input and try again."
    );
    assert_eq!(
        fixture.browser.post(NEW, &form).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    // Without a content-length header.
    let chunks = (0..80).map(|_| Ok::<_, std::io::Error>("url=x&".repeat(200)));
    let request = fixture
        .browser
        .request(Method::POST, ADD)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::wrap_stream(stream::iter(chunks)));
    let response = fixture.browser.send(request).await;
    assert_is_function_response(&response, ADD);
    assert_error(&response, StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    assert_eq!(fixture.count().await, 1);
    // A form just below the limit is parsed.
    let name = "x".repeat(63 * 1024);
    let response = call(
        &mut fixture.browser,
        ADD,
        &[ORDERS[0], ("name", &name), ORDERS[3]],
    )
    .await;
    assert_error(&response, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
}

/// Returns the delay in the JSON, and asserts that the header has the same.
fn retry_after(response: &Page) -> u64 {
    let json = assert_error(response, StatusCode::TOO_MANY_REQUESTS, "rate_limited");
    let seconds = json["retry_after"].as_u64().expect("seconds");
    assert_eq!(response.headers["retry-after"], seconds.to_string());
    seconds
}

#[tokio::test]
async fn password_guesses_are_rate_limited() {
    let app = TestApp::start_at(Arc::new(TestClock::new())).await;
    let mut browser = app.signed_in(ADMIN).await;
    let guess = [("old", "only a guess"), ("new", NEW_PASSWORD)];
    for _ in 0..4 {
        let response = call(&mut browser, CHANGE_PASSWORD, &guess).await;
        assert_error(&response, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        let page = browser.post(ACCOUNT, &guess).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let right = [("old", PASSWORD), ("new", NEW_PASSWORD)];
    let response = call(&mut browser, CHANGE_PASSWORD, &right).await;
    assert_eq!(retry_after(&response), 30);
    let message = "Too many attempts. Try again in 30 s.";
    assert_eq!(
        response.json()["fields"],
        json!([{ "name": "old", "message": message }])
    );
    let page = browser.post(ACCOUNT, &right).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.headers["retry-after"], "30");
    assert!(page.body.contains(message), "{}", page.body);
    // The session is still valid, so the password was not changed.
    assert_eq!(browser.get(ACCOUNT).await.status, StatusCode::OK);
}

#[tokio::test]
async fn seventh_test_event_within_a_minute_is_rate_limited() {
    let receiver = Receiver::start().await;
    let fixture = &mut Fixture::start_with_url(&receiver.url("/")).await;
    let form = [("id", &*fixture.id), ("type", "chat")];
    for _ in 0..6 {
        let response = call(&mut fixture.browser, TEST, &form).await;
        assert_eq!(response.status, StatusCode::OK);
        let part = response.json()["part"].as_str().unwrap().to_owned();
        assert!(part.contains("The receiver accepted the event."), "{part}");
    }
    let response = call(&mut fixture.browser, TEST, &form).await;
    assert!((1..=10).contains(&retry_after(&response)));
    let message = "You can send 6 tests per minute. Try again in a moment.";
    assert_eq!(response.json()["message"], message);
    let page = fixture
        .browser
        .post(&format!("{}/test", fixture.page), &[("type", "message")])
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = page.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    assert!(page.body.contains(message), "{}", page.body);
    assert!(
        page.body.contains("<option value=\"message\" selected"),
        "the chosen type is lost: {}",
        page.body
    );
    assert_eq!(receiver.received().len(), 6);
}

#[tokio::test]
async fn signed_out_requests_get_sign_in_link_and_change_nothing() {
    let fixture = &mut Fixture::start().await;
    let mut anonymous = fixture.app.browser();
    let mut ended = fixture.app.signed_in(ADMIN).await;
    let cookie = ended.cookie.clone();
    ended.post("/logout", &[]).await;
    ended.cookie = cookie;
    for browser in [&mut anonymous, &mut ended] {
        for (function, form) in [
            (ADD, &ORDERS[..]),
            (DELETE, &[("id", &*fixture.id)]),
            (REVEAL, &[("id", &*fixture.id)]),
            (CHANGE_PASSWORD, &[("old", PASSWORD), ("new", NEW_PASSWORD)]),
        ] {
            let response = call(browser, function, form).await;
            let json = assert_error(&response, StatusCode::UNAUTHORIZED, "signed_out");
            assert!(
                json["message"].as_str().unwrap().contains("You are signed out."),
                "{json}"
            );
            let part = json["part"].as_str().unwrap();
            assert!(
                part.contains("href=\"/login\"") && part.contains("target=\"_blank\""),
                "{part}"
            );
        }
    }
    assert_eq!(fixture.count().await, 1);
    fixture.app.signed_in(ADMIN).await;

    // Without JavaScript: redirects to sign in and then back to the form, without the input in the URL.
    for (referer, expected) in [
        (
            Some(fixture.app.url(&format!("{NEW}?status=paused"))),
            "%2Fnew%3Fstatus%3Dpaused",
        ),
        (None, "%2Fnew"),
    ] {
        let headers: Vec<_> = referer.iter().map(|page| ("referer", &**page)).collect();
        let page = anonymous.post_with(NEW, &ORDERS, &headers).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
        let next = format!("/login?next=%2Fintegrations%2Fwebhook{expected}");
        assert_eq!(page.location.as_deref(), Some(&*next));
        for (name, value) in ORDERS.iter().take(3) {
            assert_no_header_has(&page, name, value);
        }
    }
    assert_eq!(fixture.count().await, 1);
}

#[tokio::test]
async fn last_admin_cannot_be_demoted_or_disabled() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let id = app.person(ADMIN).await.user.id.to_string();
    let message =
        "admin@localhost is the last active admin of this account. Make another user an admin first.";
    for (function, form) in [
        (
            "/settings/actions/change-role",
            [("id", &*id), ("role", "viewer")],
        ),
        ("/settings/actions/disable-user", [("id", &*id), ("role", "")]),
    ] {
        let response = call_with(&mut browser, function, &form, &[]).await;
        let json = assert_error(&response, StatusCode::CONFLICT, "last_admin");
        assert_eq!(json["message"], message);
    }
    for form in [("role", "viewer"), ("do", "disable")] {
        let page = browser.post(&format!("/settings/users/{id}"), &[form]).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.body.contains(message), "{}", page.body);
    }
}
