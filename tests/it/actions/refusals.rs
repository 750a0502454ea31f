//! Why a function does nothing: in JSON for a script, and in the page of the form for a browser without one.

use std::sync::Arc;

use futures_util::stream;
use reqwest::{Body, Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    ACCOUNT, ADD, Bench, CHANGE_PASSWORD, DELETE, EDIT, LIST, NEW, ORDERS, PAUSE, REVEAL, ROTATE, TEST,
    assert_is_answer, assert_no_header_has, assert_refused, call, call_with, escaped, value_of,
};
use crate::support::{
    app::{ADMIN, Options, PASSWORD, TestApp},
    browser::Page,
    clock::TestClock,
    receiver::Receiver,
};

const NEW_PASSWORD: &str = "quite another password";
const ADD_KEY: &str = "/settings/actions/add-api-key";
const INVITE: &str = "/settings/actions/invite-user";

/// A form, and what is wrong with its fields.
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
            "Remove the user name and password from the URL: the signature is what proves that a call is ours.",
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
            "After whsec_, use the base64 of 24 to 64 bytes; or leave out whsec_ to use the text as it is.",
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
        form: &[("email", "nobody-typed-this"), ("role", "admin")],
        errors: &[("email", "Enter an email address, such as ada@example.com.")],
    },
    Case {
        function: INVITE,
        page: "/settings/users",
        form: &[("email", ADMIN), ("role", "admin")],
        errors: &[("email", "admin@localhost belongs to this account already.")],
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
        errors: &[("date", "Choose a day that is not over yet.")],
    },
];

#[tokio::test]
async fn each_wrong_field_is_named_with_its_sentence_in_both_modes() {
    let bench = &mut Bench::start().await;
    for case in CASES {
        let answer = call(&mut bench.browser, case.function, case.form).await;
        let json = assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        let errors: Vec<_> = case
            .errors
            .iter()
            .map(|(name, message)| json!({ "name": name, "message": message }))
            .collect();
        assert_eq!(json["fields"], Value::Array(errors));
        assert_eq!((&json["part"], &json["version"]), (&Value::Null, &Value::Null));

        let page = bench.browser.post(case.page, case.form).await;
        assert_eq!(page.status, answer.status, "{}", page.body);
        let invalid = page.body.matches("aria-invalid=\"true\"").count();
        assert!(invalid >= 1, "{}", page.body);
        for (name, message) in case.errors {
            let (_, error) = page.body.split_once(&format!("id=\"{name}-error\"")).unwrap();
            let (error, _) = error.split_once("</p>").unwrap();
            assert!(
                error.ends_with(&format!(">{}", escaped(message))),
                "{name}: {error}"
            );
        }
        assert_keeps(&page, case.form);
    }
    assert_eq!(bench.count().await, 1);
}

/// What was typed is in the page again, and in no header; passwords are typed again.
fn assert_keeps(page: &Page, form: &[(&str, &str)]) {
    for (name, value) in form.iter().filter(|(_, value)| value.len() >= 8) {
        assert_no_header_has(page, name, value);
        let is_password = ["old", "new"].contains(name);
        let typed = escaped(value);
        assert_eq!(page.body.contains(&typed), !is_password, "{name}: {}", page.body);
    }
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_in_both_modes() {
    let bench = &mut Bench::start().await;
    let message = "A webhook named “Orders & more” already exists.";
    let answer = call(&mut bench.browser, ADD, &ORDERS).await;
    let json = assert_refused(&answer, StatusCode::CONFLICT, "name_taken");
    assert_eq!(json["fields"], json!([{ "name": "name", "message": message }]));
    let page = bench.browser.post(NEW, &ORDERS).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains(&escaped(message)), "{}", page.body);
    assert_keeps(&page, &ORDERS);
    assert_eq!(bench.count().await, 1);

    // Nor may another one take it.
    let other = bench
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
    let answer = call(&mut bench.browser, EDIT, &form).await;
    assert_refused(&answer, StatusCode::CONFLICT, "name_taken");
    let page = bench.browser.post(&format!("{LIST}/{id}"), &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(value_of(&page, "url"), "https://example.com/typed");
    assert!(page.body.contains(&escaped(message)), "{}", page.body);
}

#[tokio::test]
async fn too_many_webhooks_are_refused_in_both_modes() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--max-webhooks=1".to_owned()],
        ..Options::default()
    })
    .await;
    app.add_webhook("first", "https://example.com/", &["chat"]).await;
    let mut browser = app.signed_in(ADMIN).await;
    let answer = call(&mut browser, ADD, &ORDERS).await;
    let json = assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    assert_eq!(json["fields"], json!([]));
    let message = json["message"].as_str().unwrap();
    assert!(message.starts_with("This account has 1 webhooks"), "{message}");
    let page = browser.post(NEW, &ORDERS).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains(message), "{}", page.body);
    assert_keeps(&page, &ORDERS);
}

#[tokio::test]
async fn an_unknown_id_is_not_found_in_both_modes() {
    let bench = &mut Bench::start().await;
    let typed = [
        ("url", "https://example.com/typed"),
        ("name", "typed by somebody"),
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
        let answer = call(&mut bench.browser, EDIT, &form).await;
        let json = assert_refused(&answer, StatusCode::NOT_FOUND, "not_found");
        assert_eq!(
            json["message"],
            "It does not exist any more: it may have been deleted meanwhile."
        );
        assert!(!answer.body.contains("typed"), "{}", answer.body);
    }
    let page = bench.browser.post(&format!("{LIST}/wh_0"), &typed).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    let form = [("id", &*bench.id)];
    for function in [DELETE, PAUSE, REVEAL, ROTATE, TEST, DELETE] {
        bench.app.delete(&format!("/api/v1/webhooks/{}", bench.id)).await;
        let answer = call(&mut bench.browser, function, &form).await;
        assert_refused(&answer, StatusCode::NOT_FOUND, "not_found");
    }
}

#[tokio::test]
async fn a_form_that_cannot_be_read_is_refused_and_not_repeated() {
    let bench = &mut Bench::start().await;
    let form = [
        ("id", &*bench.id),
        ("version", "seven-typed"),
        ("name", "New name"),
    ];
    let answer = call(&mut bench.browser, EDIT, &form).await;
    let json = assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    assert_eq!(
        json["message"],
        "This form could not be read. Reload the page and fill it in again."
    );
    assert_eq!(json["fields"], json!([]));
    assert!(!answer.body.contains("seven-typed"));
    let page = bench.browser.post(&bench.page, &form).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("This form could not be read"), "{}", page.body);
    assert!(!page.body.contains("seven-typed"));
    assert_eq!(bench.stored().await["name"], "Orders & more");
}

#[tokio::test]
async fn a_form_of_more_than_64_kib_is_too_large() {
    let bench = &mut Bench::start().await;
    let large = "x".repeat(64 * 1024);
    let form = [ORDERS[0], ("name", &*large), ORDERS[3]];
    let answer = call(&mut bench.browser, ADD, &form).await;
    let json = assert_refused(&answer, StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    assert_eq!(
        json["message"],
        "This is more than a form may hold. Shorten it and try again."
    );
    assert_eq!(
        bench.browser.post(NEW, &form).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    // Without a length that it could be refused by.
    let chunks = (0..80).map(|_| Ok::<_, std::io::Error>("url=x&".repeat(200)));
    let request = bench
        .browser
        .to(Method::POST, ADD)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::wrap_stream(stream::iter(chunks)));
    let answer = bench.browser.send(request).await;
    assert_is_answer(&answer, ADD);
    assert_refused(&answer, StatusCode::PAYLOAD_TOO_LARGE, "too_large");
    assert_eq!(bench.count().await, 1);
    // A form just below the limit is read.
    let name = "x".repeat(63 * 1024);
    let answer = call(&mut bench.browser, ADD, &[ORDERS[0], ("name", &name), ORDERS[3]]).await;
    assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
}

/// The seconds in JSON, which are those of the header too.
fn retry_after(answer: &Page) -> u64 {
    let json = assert_refused(answer, StatusCode::TOO_MANY_REQUESTS, "rate_limited");
    let seconds = json["retry_after"].as_u64().expect("seconds");
    assert_eq!(answer.headers["retry-after"], seconds.to_string());
    seconds
}

#[tokio::test]
async fn guessing_a_password_is_limited_in_both_modes() {
    let app = TestApp::start_at(Arc::new(TestClock::new())).await;
    let mut browser = app.signed_in(ADMIN).await;
    let guess = [("old", "only a guess"), ("new", NEW_PASSWORD)];
    for _ in 0..4 {
        let answer = call(&mut browser, CHANGE_PASSWORD, &guess).await;
        assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
        let page = browser.post(ACCOUNT, &guess).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let right = [("old", PASSWORD), ("new", NEW_PASSWORD)];
    let answer = call(&mut browser, CHANGE_PASSWORD, &right).await;
    assert_eq!(retry_after(&answer), 30);
    let message = "Too many attempts. Try again in 30 s.";
    assert_eq!(
        answer.json()["fields"],
        json!([{ "name": "old", "message": message }])
    );
    let page = browser.post(ACCOUNT, &right).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(page.headers["retry-after"], "30");
    assert!(page.body.contains(message), "{}", page.body);
    // The right password was not looked at, so it is the old one still.
    assert_eq!(browser.get(ACCOUNT).await.status, StatusCode::OK);
}

#[tokio::test]
async fn more_than_six_tests_a_minute_are_refused_in_both_modes() {
    let receiver = Receiver::start().await;
    let bench = &mut Bench::start_with_url(&receiver.url("/")).await;
    let form = [("id", &*bench.id), ("type", "chat")];
    for _ in 0..6 {
        let answer = call(&mut bench.browser, TEST, &form).await;
        assert_eq!(answer.status, StatusCode::OK);
        let part = answer.json()["part"].as_str().unwrap().to_owned();
        assert!(part.contains("The receiver took it."), "{part}");
    }
    let answer = call(&mut bench.browser, TEST, &form).await;
    assert!((1..=10).contains(&retry_after(&answer)));
    let message = "Only 6 tests a minute: try again in a moment.";
    assert_eq!(answer.json()["message"], message);
    let page = bench
        .browser
        .post(&format!("{}/test", bench.page), &[("type", "message")])
        .await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    let seconds: u64 = page.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    assert!(page.body.contains(message), "{}", page.body);
    assert!(
        page.body.contains("<option value=\"message\" selected"),
        "what was chosen is lost: {}",
        page.body
    );
    assert_eq!(receiver.received().len(), 6);
}

#[tokio::test]
async fn who_is_signed_out_is_told_where_to_sign_in_and_nothing_changes() {
    let bench = &mut Bench::start().await;
    let mut nobody = bench.app.browser();
    let mut ended = bench.app.signed_in(ADMIN).await;
    let cookie = ended.cookie.clone();
    ended.post("/logout", &[]).await;
    ended.cookie = cookie;
    for browser in [&mut nobody, &mut ended] {
        for (function, form) in [
            (ADD, &ORDERS[..]),
            (DELETE, &[("id", &*bench.id)]),
            (REVEAL, &[("id", &*bench.id)]),
            (CHANGE_PASSWORD, &[("old", PASSWORD), ("new", NEW_PASSWORD)]),
        ] {
            let answer = call(browser, function, form).await;
            let json = assert_refused(&answer, StatusCode::UNAUTHORIZED, "signed_out");
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
    assert_eq!(bench.count().await, 1);
    bench.app.signed_in(ADMIN).await;

    // Without JavaScript: back to the page that had the form, and nothing typed is in the address.
    for (referer, expected) in [
        (
            Some(bench.app.url(&format!("{NEW}?status=paused"))),
            "%2Fnew%3Fstatus%3Dpaused",
        ),
        (None, "%2Fnew"),
    ] {
        let headers: Vec<_> = referer.iter().map(|page| ("referer", &**page)).collect();
        let page = nobody.post_with(NEW, &ORDERS, &headers).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
        let next = format!("/login?next=%2Fintegrations%2Fwebhook{expected}");
        assert_eq!(page.location.as_deref(), Some(&*next));
        for (name, value) in ORDERS.iter().take(3) {
            assert_no_header_has(&page, name, value);
        }
    }
    assert_eq!(bench.count().await, 1);
}

#[tokio::test]
async fn the_last_admin_stays_admin_in_both_modes() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let id = app.person(ADMIN).await.user.id.to_string();
    let message =
        "admin@localhost is the last active admin of this account. Make somebody else an admin first.";
    for (function, form) in [
        (
            "/settings/actions/change-role",
            [("id", &*id), ("role", "viewer")],
        ),
        ("/settings/actions/disable-user", [("id", &*id), ("role", "")]),
    ] {
        let answer = call_with(&mut browser, function, &form, &[]).await;
        let json = assert_refused(&answer, StatusCode::CONFLICT, "last_admin");
        assert_eq!(json["message"], message);
    }
    for form in [("role", "viewer"), ("do", "disable")] {
        let page = browser.post(&format!("/settings/users/{id}"), &[form]).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        assert!(page.body.contains(message), "{}", page.body);
    }
}
