//! Successful changes, and conflicts between two forms or two buttons.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    ADD, CHECK_NAME, CHECK_URL, DELETE, EDIT, Fixture, LIST, NEW, ORDERS, PAUSE, RESUME, REVEAL, ROTATE,
    assert_error, assert_redirects_to, call, escaped, value_of,
};
use crate::support::{
    app::{ADMIN, TestApp},
    browser::Page,
    html::copyable,
    receiver::{Receiver, Reply},
};

#[tokio::test]
async fn saving_returns_next_page() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let response = call(&mut browser, ADD, &ORDERS).await;
    assert_redirects_to(&response, LIST);
    let list = browser.get(LIST).await;
    assert!(
        list.body.contains("Webhook “Orders &amp; more” added."),
        "{}",
        list.body
    );
    let added = app.get("/api/v1/webhooks").await["webhooks"][0].clone();
    assert_eq!(
        (&added["name"], &added["url"], &added["events"]),
        (&json!(ORDERS[1].1), &json!(ORDERS[0].1), &json!(["chat"]))
    );

    let (id, back) = (added["id"].as_str().unwrap(), "/integrations/webhook?q=orders");
    let page = browser.get(&format!("{LIST}/{id}?q=orders")).await;
    // The first one belongs to the theme form.
    assert_eq!(page.all_hidden("back").pop().as_deref(), Some(back));
    let (version, id) = (page.hidden("version"), page.hidden("id"));
    let form = [
        ("id", &*id),
        ("version", &*version),
        ("back", back),
        ("url", "https://example.com/new"),
        ("name", "Renamed"),
        ("secret", ""),
        ("events", "message"),
        ("events", "insight.*"),
    ];
    assert_redirects_to(&call(&mut browser, EDIT, &form).await, back);
    let saved = app.get(&format!("/api/v1/webhooks/{id}")).await;
    assert_eq!(saved["name"], "Renamed");
    assert_eq!(saved["events"].as_array().unwrap().len(), 6);

    let form = [("id", &*id), ("back", back)];
    assert_redirects_to(&call(&mut browser, DELETE, &form).await, back);
    let list = browser.get(LIST).await;
    assert!(list.body.contains("Webhook “Renamed” deleted."), "{}", list.body);
}

/// An edit form of the webhook.
fn edit_form<'a>(version: &'a str, url: &'a str, name: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("version", version),
        ("url", url),
        ("name", name),
        ("secret", ""),
        ("events", "message"),
    ]
}

const SAVED_URL: &str = "https://example.com/saved";
const TYPED_URL: &str = "https://example.com/typed";

/// Another user saves a new URL and name after the form was opened. Returns the version in that form.
async fn change_by_another_user(fixture: &mut Fixture) -> String {
    let version = fixture.version().await;
    fixture
        .app
        .add_user("ada@example.com", caleida::domain::Role::Admin)
        .await;
    let mut ada = fixture.app.signed_in("ada@example.com").await;
    let mut form = edit_form(&version, SAVED_URL, "Saved name");
    form.push(("id", &*fixture.id));
    assert_redirects_to(&call(&mut ada, EDIT, &form).await, LIST);
    version
}

/// Asserts that the other user and the differing values are shown.
fn assert_shows_conflict(html: &str) {
    for shown in [
        "ada@example.com",
        SAVED_URL,
        TYPED_URL,
        "Saved name",
        "Typed &lt;name&gt;",
        "name=\"keep_saved\" value=\"url\"",
        "name=\"keep_saved\" value=\"name\"",
    ] {
        assert!(html.contains(shown), "{shown} is not in {html}");
    }
    assert!(
        !html.contains("value=\"events\""),
        "equal events are shown as a conflict: {html}"
    );
}

#[tokio::test]
async fn stale_form_shows_conflict_and_saves_chosen_values() {
    let fixture = &mut Fixture::start().await;
    let version = change_by_another_user(fixture).await;
    let mut form = edit_form(&version, TYPED_URL, "Typed <name>");
    form.push(("id", &*fixture.id));
    let response = call(&mut fixture.browser, EDIT, &form).await;
    let json = assert_error(&response, StatusCode::CONFLICT, "stale");
    assert_shows_conflict(json["part"].as_str().unwrap());
    assert_eq!(json["fields"], json!([]));
    let newest = json["version"].as_i64().unwrap();
    assert_eq!(newest, version.parse::<i64>().unwrap() + 1);
    assert_eq!(fixture.stored().await["url"], SAVED_URL);

    let newest = newest.to_string();
    form[0].1 = &newest;
    form.push(("keep_saved", "url"));
    assert_redirects_to(&call(&mut fixture.browser, EDIT, &form).await, LIST);
    let stored = fixture.stored().await;
    assert_eq!(
        (&stored["url"], &stored["name"], &stored["events"]),
        (&json!(SAVED_URL), &json!("Typed <name>"), &json!(["message"]))
    );
}

#[tokio::test]
async fn stale_form_conflict_works_without_javascript() {
    let fixture = &mut Fixture::start().await;
    let version = change_by_another_user(fixture).await;
    let mut form = edit_form(&version, TYPED_URL, "Typed <name>");
    let page = fixture.browser.post(&fixture.page, &form).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_shows_conflict(&page.body);
    assert_eq!(value_of(&page, "url"), TYPED_URL);
    let newest = page.hidden("version");
    assert_eq!(
        newest.parse::<i64>().unwrap(),
        version.parse::<i64>().unwrap() + 1
    );
    form[0].1 = &newest;
    form.push(("keep_saved", "url"));
    let page = fixture.browser.post(&fixture.page, &form).await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(LIST))
    );
    let stored = fixture.stored().await;
    assert_eq!(
        (&stored["url"], &stored["name"], &stored["events"]),
        (&json!(SAVED_URL), &json!("Typed <name>"), &json!(["message"]))
    );
}

#[tokio::test]
async fn pausing_keeps_unsaved_input() {
    let fixture = &mut Fixture::start().await;
    let version = fixture.version().await;
    let mut form = edit_form(&version, TYPED_URL, "Typed <name>");
    form.push(("back", "/integrations/webhook?q=o"));
    form.push(("id", &*fixture.id));
    let response = call(&mut fixture.browser, PAUSE, &form).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.body);
    let json = response.json();
    assert_eq!(
        json["message"],
        "Webhook “Orders & more” paused. Your changes below are not saved yet."
    );
    assert_eq!(json["to"], format!("{}?q=o", fixture.page));
    assert_eq!(json["part"], Value::Null);
    let stored = fixture.stored().await;
    assert_eq!(
        (&stored["status"], &stored["name"]),
        (&json!("paused"), &json!("Orders & more"))
    );

    // Continue with the returned version.
    let newest = json["version"].as_i64().unwrap().to_string();
    form[0].1 = &newest;
    form.push(("do", "resume"));
    let page = fixture.browser.post(&fixture.page, &form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body
            .contains("Webhook “Orders &amp; more” resumed. Your changes below are not saved yet."),
        "{}",
        page.body
    );
    assert_eq!(value_of(&page, "url"), TYPED_URL);
    assert_eq!(fixture.stored().await["status"], "active");
    let newest = page.hidden("version");
    form[0].1 = &newest;
    form.pop();
    assert_redirects_to(
        &call(&mut fixture.browser, EDIT, &form).await,
        "/integrations/webhook?q=o",
    );
    assert_eq!(fixture.stored().await["url"], TYPED_URL);
}

#[tokio::test]
async fn pausing_unchanged_form_returns_to_list() {
    let fixture = &mut Fixture::start().await;
    for (function, status) in [(PAUSE, "paused"), (RESUME, "active")] {
        let version = fixture.version().await;
        let form = [
            ("id", &*fixture.id),
            ("version", &*version),
            ("url", "https://example.com/orders"),
            ("name", "Orders & more"),
            ("events", "chat"),
        ];
        assert_redirects_to(&call(&mut fixture.browser, function, &form).await, LIST);
        assert_eq!(fixture.stored().await["status"], status);
    }
}

/// Returns the secret shown in the HTML.
fn secret_in(html: &str) -> String {
    let start = html
        .find("whsec_")
        .unwrap_or_else(|| panic!("no secret in {html}"));
    let end = |c: char| !c.is_ascii_alphanumeric() && !"_+/=".contains(c);
    html[start..].split(end).next().unwrap().to_owned()
}

#[tokio::test]
async fn reveal_and_rotate_return_secret_in_fragment() {
    let fixture = &mut Fixture::start().await;
    let path = format!("/api/v1/webhooks/{}/secret", fixture.id);
    let secret = fixture.app.get(&path).await["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    let version = fixture.version().await;
    let form = [("id", &*fixture.id), ("version", &*version)];
    let response = call(&mut fixture.browser, REVEAL, &form).await;
    let json = response.json();
    assert_eq!(secret_in(json["part"].as_str().unwrap()), secret);
    assert_eq!((&json["to"], &json["version"]), (&Value::Null, &Value::Null));

    let response = call(&mut fixture.browser, ROTATE, &form).await;
    let json = response.json();
    let rotated = secret_in(json["part"].as_str().unwrap());
    assert_ne!(rotated, secret);
    assert_eq!(json["to"], Value::Null);
    assert!(json["version"].as_i64().unwrap() > version.parse().unwrap());

    // A repeated request must not rotate again, which would end the overlap of the first rotation.
    let response = call(&mut fixture.browser, ROTATE, &form).await;
    let message = "Not rotated: the webhook was changed since this form was opened.";
    assert_eq!(
        assert_error(&response, StatusCode::CONFLICT, "stale")["message"],
        message
    );
    let page = fixture
        .browser
        .post(&fixture.page, &[("do", "rotate"), ("version", &version)])
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains(message), "{}", page.body);
    assert_eq!(fixture.app.get(&path).await["secret"], *rotated);
}

/// Returns error and advice of a field check.
fn findings(response: &Page) -> [Option<String>; 2] {
    assert_eq!(response.status, StatusCode::OK, "{}", response.body);
    let json = response.json();
    assert_eq!(json.as_object().unwrap().len(), 2, "{json}");
    ["error", "advice"].map(|field| json[field].as_str().map(str::to_owned))
}

#[tokio::test]
async fn check_name_reports_taken_name_except_own() {
    let fixture = &mut Fixture::start().await;
    let taken = Some("A webhook named “Orders & more” already exists.".to_owned());
    let other = fixture
        .app
        .add_webhook("Other", "https://example.com/", &["chat"])
        .await;
    let other = other["id"].as_str().unwrap();
    for (form, expected) in [
        (&[("name", "Free")][..], None),
        (&[("name", "Orders & more")], taken.clone()),
        (&[("name", "  Orders & more ")], taken.clone()),
        (&[("name", "Orders & more"), ("id", other)], taken),
        (&[("name", "Orders & more"), ("id", &*fixture.id)], None),
        (&[("name", "")], Some("Enter a name for the webhook.".to_owned())),
    ] {
        let response = call(&mut fixture.browser, CHECK_NAME, form).await;
        assert_eq!(findings(&response), [expected, None], "{form:?}");
    }
}

#[tokio::test]
async fn check_url_reports_errors_and_advice() {
    let fixture = &mut Fixture::start().await;
    for (url, error) in [
        ("", "Enter a URL that starts with https://."),
        ("example.com", "Enter a URL that starts with https://."),
        (
            "https://ada:typed-password@example.com/",
            "Remove the user name and password from the URL. Receivers authenticate calls by their signature.",
        ),
    ] {
        let response = call(&mut fixture.browser, CHECK_URL, &[("value", url)]).await;
        assert_eq!(findings(&response), [Some(error.to_owned()), None], "{url}");
        assert!(!response.body.contains("typed-password"));
    }
    let response = call(
        &mut fixture.browser,
        CHECK_URL,
        &[("value", "http://127.0.0.1:9/")],
    )
    .await;
    assert_eq!(findings(&response)[0], None);
    // Neither https nor a public address.
    let response = call(
        &mut fixture.browser,
        CHECK_URL,
        &[("value", "http://192.168.0.1/")],
    )
    .await;
    let [error, advice] = findings(&response);
    assert_eq!(error, None);
    assert_eq!(advice.expect("advice").lines().count(), 2);
}

#[tokio::test]
async fn new_webhook_form_works_without_javascript() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let page = browser.post(NEW, &ORDERS).await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(LIST))
    );
    let list = browser.get(LIST).await;
    let message = escaped("Webhook “Orders & more” added.");
    assert!(list.body.contains(&message), "{}", list.body);
}

#[tokio::test]
async fn api_key_and_invite_link_are_shown_once() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let form = [
        ("name", "Publisher"),
        ("scopes", "events:write"),
        ("expiry", "never"),
    ];
    let response = call(&mut browser, "/settings/actions/add-api-key", &form).await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.body);
    let json = response.json();
    assert_eq!(json["to"], "/settings/api-keys");
    let part = json["part"].as_str().unwrap();
    let key = copyable(part);
    let event = app.anonymous(Method::POST, "/api/v1/events").bearer_auth(&key);
    let event = event.body(r#"{"type":"chat","data":{}}"#).send().await.unwrap();
    assert_eq!(event.status(), StatusCode::ACCEPTED);

    let form = [("email", "ada@example.com"), ("role", "viewer")];
    let response = call(&mut browser, "/settings/actions/invite-user", &form).await;
    let json = response.json();
    assert_eq!(json["to"], "/settings/users");
    let shown = copyable(json["part"].as_str().unwrap());
    let link = &shown[shown.find("/invite/").expect("a link")..];
    assert_eq!(app.browser().get(link).await.status, StatusCode::OK);
    for (path, secret) in [("/settings/api-keys", &*key), ("/settings/users", link)] {
        let page = browser.get(path).await;
        assert!(!page.body.contains(secret), "{path} shows it again");
    }
}

#[tokio::test]
async fn functions_resend_and_recover_deliveries() {
    let receiver = Receiver::start().await;
    receiver.reply_always(Reply::Status(500));
    let fixture = &mut Fixture::start_with_url(&receiver.url("/")).await;
    fixture.app.publish("chat").await;
    let failed = fixture.app.wait_for("failed", 1).await;
    let delivery = failed[0]["id"].as_str().unwrap();
    receiver.reply_always(Reply::Status(200));
    let resend = "/integrations/webhook/actions/resend";
    let response = call(&mut fixture.browser, resend, &[("id", delivery)]).await;
    let page = format!("{LIST}/deliveries/{delivery}");
    assert_redirects_to(&response, &page);
    let shown = fixture.browser.get(&page).await;
    assert!(shown.body.contains("It is being sent again."), "{}", shown.body);
    fixture.app.wait_for("delivered", 1).await;

    receiver.reply_always(Reply::Status(500));
    fixture.app.publish("chat").await;
    fixture.app.wait_for("failed", 1).await;
    let form = [
        ("id", &*fixture.id),
        ("scope", "failed"),
        ("since", "2026-01-01T00:00:00Z"),
    ];
    let actions = "/integrations/webhook/actions";
    let response = call(
        &mut fixture.browser,
        &format!("{actions}/preview-recovery"),
        &form,
    )
    .await;
    assert_eq!(response.status, StatusCode::OK, "{}", response.body);
    let part = response.json()["part"].as_str().unwrap().to_owned();
    assert!(part.contains("1 event will be sent."), "{part}");
    receiver.reply_always(Reply::Status(200));
    let response = call(&mut fixture.browser, &format!("{actions}/start-recovery"), &form).await;
    let page = format!("{}/recover", fixture.page);
    assert_redirects_to(&response, &page);
    fixture.app.wait_for("delivered", 2).await;
    let form = [
        ("id", &*fixture.id),
        ("recovery", "rcv_00000000000000000000000000000000"),
    ];
    let response = call(&mut fixture.browser, &format!("{actions}/cancel-recovery"), &form).await;
    assert_redirects_to(&response, &page);
    let shown = fixture.browser.get(&page).await;
    assert!(
        shown.body.contains("The recovery had already ended."),
        "{}",
        shown.body
    );
}
