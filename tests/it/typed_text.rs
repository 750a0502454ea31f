//! Names, addresses, URLs and passwords as users type them: stored in one form, and compared in it.

use caleida::domain::{Email, Role};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::app::{ADMIN, PASSWORD, TestApp};

const COMPOSED: &str = "Café Ångström";
const DECOMPOSED: &str = "Cafe\u{301} A\u{30a}ngstro\u{308}m";

fn webhook(name: &str, url: &str) -> Value {
    json!({ "name": name, "url": url, "events": ["chat"] })
}

#[tokio::test]
async fn webhook_names_that_look_the_same_are_the_same() {
    let app = TestApp::start().await;
    let url = "https://a.example/";
    let body = webhook(DECOMPOSED, url);
    let added = app.post("/api/v1/webhooks", body, StatusCode::CREATED).await;
    assert_eq!(added["name"], COMPOSED);
    for name in [COMPOSED, DECOMPOSED, " Café\u{a0} Ångström"] {
        let refused = app
            .post("/api/v1/webhooks", webhook(name, url), StatusCode::CONFLICT)
            .await;
        assert!(
            refused["detail"].as_str().unwrap().contains(COMPOSED),
            "{refused}"
        );
    }
    let other = app.add_webhook("other", url, &["chat"]).await;
    let path = format!("/api/v1/webhooks/{}", other["id"].as_str().unwrap());
    app.patch(&path, json!({ "name": DECOMPOSED }), StatusCode::CONFLICT)
        .await;

    let mut browser = app.signed_in(ADMIN).await;
    let fields = [
        ("url", url),
        ("name", DECOMPOSED),
        ("events", "chat"),
        ("secret", ""),
    ];
    let page = browser.post("/integrations/webhook/new", &fields).await;
    assert!(page.body.contains("already exists"), "{}", page.body);
    let query = url::form_urlencoded::byte_serialize("Cafe\u{301}".as_bytes()).collect::<String>();
    let page = browser.get(&format!("/integrations/webhook?q={query}")).await;
    assert!(page.body.contains(COMPOSED), "{}", page.body);
}

#[tokio::test]
async fn invisible_names_are_refused_with_the_character() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    for (name, message) in [
        (
            "Orders\u{200b}",
            "Remove the invisible character U+200B from the name.",
        ),
        (
            "Or\u{ad}ders",
            "Remove the invisible character U+00AD from the name.",
        ),
        ("\u{3164}", "Remove the invisible character U+3164 from the name."),
        (
            "\u{feff}Orders",
            "Remove the invisible character U+FEFF from the name.",
        ),
        (
            "sredr\u{202e}O",
            "Remove the invisible character U+202E from the name.",
        ),
        ("\u{2800}", "Enter a name"),
        ("\u{a0}", "Enter a name"),
    ] {
        let body = webhook(name, "https://a.example/");
        let refused = app
            .post("/api/v1/webhooks", body, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
        assert_eq!(refused["errors"][0]["field"], "name");
        assert!(
            refused["errors"][0]["message"]
                .as_str()
                .unwrap()
                .contains(message),
            "{refused}"
        );
        let fields = [("name", name), ("scopes", "webhooks:read"), ("expiry", "never")];
        let page = browser.post("/settings/api-keys/new", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(message), "{}", page.body);
    }
}

#[tokio::test]
async fn api_key_names_and_emails_are_compared_in_one_form() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    for (name, expected) in [
        (DECOMPOSED, StatusCode::OK),
        (COMPOSED, StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let fields = [("name", name), ("scopes", "webhooks:read"), ("expiry", "never")];
        let page = browser.post("/settings/api-keys/new", &fields).await;
        assert_eq!(page.status, expected, "{}", page.body);
    }
    let page = browser.get("/settings/api-keys").await;
    assert!(page.body.contains(COMPOSED), "{}", page.body);

    app.add_user("ren\u{e9}@example.com", Role::Viewer).await;
    let typed = "RENE\u{301}@example.com";
    assert_eq!(Email::parse(typed).unwrap().as_str(), "ren\u{e9}@example.com");
    app.signed_in(typed).await;
    let page = browser
        .post(
            "/settings/users",
            &[("email", typed), ("role", "viewer"), ("do", "invite")],
        )
        .await;
    assert!(page.body.contains("already belongs"), "{}", page.body);
}

#[tokio::test]
async fn password_is_accepted_in_either_form() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let fields = [
        ("old", PASSWORD),
        ("new", DECOMPOSED),
        ("again", DECOMPOSED),
        ("do", "change-password"),
    ];
    let page = browser.post("/settings/account", &fields).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    for password in [COMPOSED, DECOMPOSED] {
        let mut browser = app.browser();
        let page = browser
            .post("/login", &[("email", ADMIN), ("password", password)])
            .await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    }
}

/// Each of these fits when it is typed, but not when it is stored.
#[tokio::test]
async fn url_that_is_too_long_when_encoded_is_refused_at_its_field() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    for letter in ["ü", "漢", "😀", "\"", "a b"] {
        let url = format!(
            "https://a.example/{}",
            letter.repeat(700 / letter.chars().count())
        );
        let url = if letter.is_ascii() {
            url.replace("a b", "   x") + &"\"".repeat(700)
        } else {
            url
        };
        let refused = app
            .post(
                "/api/v1/webhooks",
                webhook("long", &url),
                StatusCode::UNPROCESSABLE_ENTITY,
            )
            .await;
        assert_eq!(refused["errors"][0]["field"], "url");
        let message = refused["errors"][0]["message"].as_str().unwrap();
        assert!(
            message.starts_with("Use at most 2048 characters for the URL. Encoded,"),
            "{message}"
        );
        let fields = [
            ("url", &*url),
            ("name", "long"),
            ("events", "chat"),
            ("secret", ""),
        ];
        let page = browser.post("/integrations/webhook/new", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            page.body
                .contains("Use at most 2048 characters for the URL. Encoded,"),
            "{}",
            page.body
        );
    }
    // The longest one is stored and read again.
    let longest = format!(
        "https://a.example/{}",
        "ü".repeat((2048 - "https://a.example/".len()) / 6)
    );
    let added = app.add_webhook("longest", &longest, &["chat"]).await;
    let read = app
        .get(&format!("/api/v1/webhooks/{}", added["id"].as_str().unwrap()))
        .await;
    assert_eq!(read["url"], added["url"]);
}
