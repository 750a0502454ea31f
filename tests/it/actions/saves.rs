//! What is done, and what becomes of forms that two people or two buttons have to do with.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    ADD, Bench, CHECK_NAME, CHECK_URL, DELETE, EDIT, LIST, NEW, ORDERS, PAUSE, RESUME, REVEAL, ROTATE,
    assert_leads_to, assert_refused, call, escaped, value_of,
};
use crate::support::{
    app::{ADMIN, TestApp},
    browser::Page,
    receiver::{Answer, Receiver},
};

#[tokio::test]
async fn a_change_returns_the_page_to_show_next() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let answer = call(&mut browser, ADD, &ORDERS).await;
    assert_leads_to(&answer, LIST);
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
    // The first is that of the theme.
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
    assert_leads_to(&call(&mut browser, EDIT, &form).await, back);
    let saved = app.get(&format!("/api/v1/webhooks/{id}")).await;
    assert_eq!(saved["name"], "Renamed");
    assert_eq!(saved["events"].as_array().unwrap().len(), 6);

    let form = [("id", &*id), ("back", back)];
    assert_leads_to(&call(&mut browser, DELETE, &form).await, back);
    let list = browser.get(LIST).await;
    assert!(list.body.contains("Webhook “Renamed” deleted."), "{}", list.body);
}

/// A form of the bench's webhook.
fn edited<'a>(version: &'a str, url: &'a str, name: &'a str) -> Vec<(&'static str, &'a str)> {
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

/// Somebody else saves another URL and name, after the form was opened. Returns the version that it is based on.
async fn overtaken(bench: &mut Bench) -> String {
    let version = bench.version().await;
    bench
        .app
        .add_user("ada@example.com", caleida::domain::Role::Admin)
        .await;
    let mut ada = bench.app.signed_in("ada@example.com").await;
    let mut form = edited(&version, SAVED_URL, "Saved name");
    form.push(("id", &*bench.id));
    assert_leads_to(&call(&mut ada, EDIT, &form).await, LIST);
    version
}

/// Who saved, and what differs.
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
        "events are the same in both: {html}"
    );
}

#[tokio::test]
async fn a_stale_form_shows_both_values_and_saves_what_was_chosen() {
    let bench = &mut Bench::start().await;
    let version = overtaken(bench).await;
    let mut form = edited(&version, TYPED_URL, "Typed <name>");
    form.push(("id", &*bench.id));
    let answer = call(&mut bench.browser, EDIT, &form).await;
    let json = assert_refused(&answer, StatusCode::CONFLICT, "stale");
    assert_shows_conflict(json["part"].as_str().unwrap());
    assert_eq!(json["fields"], json!([]));
    let newest = json["version"].as_i64().unwrap();
    assert_eq!(newest, version.parse::<i64>().unwrap() + 1);
    assert_eq!(bench.stored().await["url"], SAVED_URL);

    let newest = newest.to_string();
    form[0].1 = &newest;
    form.push(("keep_saved", "url"));
    assert_leads_to(&call(&mut bench.browser, EDIT, &form).await, LIST);
    let stored = bench.stored().await;
    assert_eq!(
        (&stored["url"], &stored["name"], &stored["events"]),
        (&json!(SAVED_URL), &json!("Typed <name>"), &json!(["message"]))
    );
}

#[tokio::test]
async fn a_stale_form_does_the_same_without_javascript() {
    let bench = &mut Bench::start().await;
    let version = overtaken(bench).await;
    let mut form = edited(&version, TYPED_URL, "Typed <name>");
    let page = bench.browser.post(&bench.page, &form).await;
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
    let page = bench.browser.post(&bench.page, &form).await;
    assert_eq!(
        (page.status, page.location.as_deref()),
        (StatusCode::SEE_OTHER, Some(LIST))
    );
    let stored = bench.stored().await;
    assert_eq!(
        (&stored["url"], &stored["name"], &stored["events"]),
        (&json!(SAVED_URL), &json!("Typed <name>"), &json!(["message"]))
    );
}

#[tokio::test]
async fn pausing_keeps_what_is_typed_and_not_saved() {
    let bench = &mut Bench::start().await;
    let version = bench.version().await;
    let mut form = edited(&version, TYPED_URL, "Typed <name>");
    form.push(("back", "/integrations/webhook?q=o"));
    form.push(("id", &*bench.id));
    let answer = call(&mut bench.browser, PAUSE, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let json = answer.json();
    assert_eq!(
        json["message"],
        "Webhook “Orders & more” paused. What you changed below is not saved yet."
    );
    assert_eq!(json["to"], format!("{}?q=o", bench.page));
    assert_eq!(json["part"], Value::Null);
    let stored = bench.stored().await;
    assert_eq!(
        (&stored["status"], &stored["name"]),
        (&json!("paused"), &json!("Orders & more"))
    );

    // The version that it returns is the one to go on with.
    let newest = json["version"].as_i64().unwrap().to_string();
    form[0].1 = &newest;
    form.push(("do", "resume"));
    let page = bench.browser.post(&bench.page, &form).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.body
            .contains("Webhook “Orders &amp; more” resumed. What you changed below is not saved yet."),
        "{}",
        page.body
    );
    assert_eq!(value_of(&page, "url"), TYPED_URL);
    assert_eq!(bench.stored().await["status"], "active");
    let newest = page.hidden("version");
    form[0].1 = &newest;
    form.pop();
    assert_leads_to(
        &call(&mut bench.browser, EDIT, &form).await,
        "/integrations/webhook?q=o",
    );
    assert_eq!(bench.stored().await["url"], TYPED_URL);
}

#[tokio::test]
async fn pausing_and_resuming_an_untouched_form_leads_back_to_the_list() {
    let bench = &mut Bench::start().await;
    for (function, status) in [(PAUSE, "paused"), (RESUME, "active")] {
        let version = bench.version().await;
        let form = [
            ("id", &*bench.id),
            ("version", &*version),
            ("url", "https://example.com/orders"),
            ("name", "Orders & more"),
            ("events", "chat"),
        ];
        assert_leads_to(&call(&mut bench.browser, function, &form).await, LIST);
        assert_eq!(bench.stored().await["status"], status);
    }
}

/// The secret in what was returned.
fn secret_in(html: &str) -> String {
    let start = html
        .find("whsec_")
        .unwrap_or_else(|| panic!("no secret in {html}"));
    let end = |c: char| !c.is_ascii_alphanumeric() && !"_+/=".contains(c);
    html[start..].split(end).next().unwrap().to_owned()
}

#[tokio::test]
async fn a_secret_is_shown_by_the_part_alone_and_a_stale_form_does_not_rotate_it() {
    let bench = &mut Bench::start().await;
    let path = format!("/api/v1/webhooks/{}/secret", bench.id);
    let secret = bench.app.get(&path).await["secret"].as_str().unwrap().to_owned();
    let version = bench.version().await;
    let form = [("id", &*bench.id), ("version", &*version)];
    let answer = call(&mut bench.browser, REVEAL, &form).await;
    let json = answer.json();
    assert_eq!(secret_in(json["part"].as_str().unwrap()), secret);
    assert_eq!((&json["to"], &json["version"]), (&Value::Null, &Value::Null));

    let answer = call(&mut bench.browser, ROTATE, &form).await;
    let json = answer.json();
    let rotated = secret_in(json["part"].as_str().unwrap());
    assert_ne!(rotated, secret);
    assert_eq!(json["to"], Value::Null);
    assert!(json["version"].as_i64().unwrap() > version.parse().unwrap());

    // Sent again, as by reloading: a second rotation would end the overlap of the first.
    let answer = call(&mut bench.browser, ROTATE, &form).await;
    let message = "Not rotated: the webhook was changed since this form was opened.";
    assert_eq!(
        assert_refused(&answer, StatusCode::CONFLICT, "stale")["message"],
        message
    );
    let page = bench
        .browser
        .post(&bench.page, &[("do", "rotate"), ("version", &version)])
        .await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert!(page.body.contains(message), "{}", page.body);
    assert_eq!(bench.app.get(&path).await["secret"], *rotated);
}

/// What a check says about a field: its error and its advice.
fn said(answer: &Page) -> [Option<String>; 2] {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let json = answer.json();
    assert_eq!(json.as_object().unwrap().len(), 2, "{json}");
    ["error", "advice"].map(|field| json[field].as_str().map(str::to_owned))
}

#[tokio::test]
async fn check_name_reports_a_taken_name_but_not_the_webhooks_own() {
    let bench = &mut Bench::start().await;
    let taken = Some("A webhook named “Orders & more” already exists.".to_owned());
    let other = bench
        .app
        .add_webhook("Other", "https://example.com/", &["chat"])
        .await;
    let other = other["id"].as_str().unwrap();
    for (form, expected) in [
        (&[("name", "Free")][..], None),
        (&[("name", "Orders & more")], taken.clone()),
        (&[("name", "  Orders & more ")], taken.clone()),
        (&[("name", "Orders & more"), ("id", other)], taken),
        (&[("name", "Orders & more"), ("id", &*bench.id)], None),
        (&[("name", "")], Some("Enter a name for the webhook.".to_owned())),
    ] {
        let answer = call(&mut bench.browser, CHECK_NAME, form).await;
        assert_eq!(said(&answer), [expected, None], "{form:?}");
    }
}

#[tokio::test]
async fn check_url_reports_what_is_wrong_or_unwise() {
    let bench = &mut Bench::start().await;
    for (url, error) in [
        ("", "Enter a URL that starts with https://."),
        ("example.com", "Enter a URL that starts with https://."),
        (
            "https://ada:typed-password@example.com/",
            "Remove the user name and password from the URL: the signature is what proves that a call is ours.",
        ),
    ] {
        let answer = call(&mut bench.browser, CHECK_URL, &[("value", url)]).await;
        assert_eq!(said(&answer), [Some(error.to_owned()), None], "{url}");
        assert!(!answer.body.contains("typed-password"));
    }
    let answer = call(&mut bench.browser, CHECK_URL, &[("value", "http://127.0.0.1:9/")]).await;
    assert_eq!(said(&answer)[0], None);
    // It is neither https nor a public address.
    let answer = call(&mut bench.browser, CHECK_URL, &[("value", "http://192.168.0.1/")]).await;
    let [error, advice] = said(&answer);
    assert_eq!(error, None);
    assert_eq!(advice.expect("advice").lines().count(), 2);
}

#[tokio::test]
async fn the_form_for_a_new_webhook_works_without_javascript() {
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
async fn a_key_and_an_invite_are_shown_once_by_the_part() {
    let app = TestApp::start().await;
    let mut browser = app.signed_in(ADMIN).await;
    let form = [
        ("name", "Publisher"),
        ("scopes", "events:write"),
        ("expiry", "never"),
    ];
    let answer = call(&mut browser, "/settings/actions/add-api-key", &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let json = answer.json();
    assert_eq!(json["to"], "/settings/api-keys");
    let part = json["part"].as_str().unwrap();
    let key = part.split_once(">ck_").expect("a key").1;
    let key = format!("ck_{}", key.split('<').next().unwrap());
    let event = app.anonymous(Method::POST, "/api/v1/events").bearer_auth(&key);
    let event = event.body(r#"{"type":"chat","data":{}}"#).send().await.unwrap();
    assert_eq!(event.status(), StatusCode::ACCEPTED);

    let form = [("email", "ada@example.com"), ("role", "viewer")];
    let answer = call(&mut browser, "/settings/actions/invite-user", &form).await;
    let json = answer.json();
    assert_eq!(json["to"], "/settings/users");
    let link = json["part"]
        .as_str()
        .unwrap()
        .split_once("/invite/")
        .expect("a link")
        .1;
    let link = format!("/invite/{}", link.split('<').next().unwrap());
    assert_eq!(app.browser().get(&link).await.status, StatusCode::OK);
    for (path, secret) in [("/settings/api-keys", &key), ("/settings/users", &link)] {
        let page = browser.get(path).await;
        assert!(!page.body.contains(secret.as_str()), "{path} shows it again");
    }
}

#[tokio::test]
async fn deliveries_are_resent_and_recovered_by_functions() {
    let receiver = Receiver::start().await;
    receiver.answer_always(Answer::Status(500));
    let bench = &mut Bench::start_with_url(&receiver.url("/")).await;
    bench.app.publish("chat").await;
    let failed = bench.app.wait_for("failed", 1).await;
    let delivery = failed[0]["id"].as_str().unwrap();
    receiver.answer_always(Answer::Status(200));
    let resend = "/integrations/webhook/actions/resend";
    let answer = call(&mut bench.browser, resend, &[("id", delivery)]).await;
    let page = format!("{LIST}/deliveries/{delivery}");
    assert_leads_to(&answer, &page);
    let shown = bench.browser.get(&page).await;
    assert!(shown.body.contains("It is being sent again."), "{}", shown.body);
    bench.app.wait_for("delivered", 1).await;

    receiver.answer_always(Answer::Status(500));
    bench.app.publish("chat").await;
    bench.app.wait_for("failed", 1).await;
    let form = [
        ("id", &*bench.id),
        ("scope", "failed"),
        ("since", "2026-01-01T00:00:00Z"),
    ];
    let actions = "/integrations/webhook/actions";
    let answer = call(&mut bench.browser, &format!("{actions}/preview-recovery"), &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let part = answer.json()["part"].as_str().unwrap().to_owned();
    assert!(part.contains("1 event will be sent."), "{part}");
    receiver.answer_always(Answer::Status(200));
    let answer = call(&mut bench.browser, &format!("{actions}/start-recovery"), &form).await;
    let page = format!("{}/recover", bench.page);
    assert_leads_to(&answer, &page);
    bench.app.wait_for("delivered", 2).await;
    let form = [
        ("id", &*bench.id),
        ("recovery", "rcv_00000000000000000000000000000000"),
    ];
    let answer = call(&mut bench.browser, &format!("{actions}/cancel-recovery"), &form).await;
    assert_leads_to(&answer, &page);
    let shown = bench.browser.get(&page).await;
    assert!(
        shown.body.contains("There was nothing to cancel: it had ended."),
        "{}",
        shown.body
    );
}
