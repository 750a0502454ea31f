//! Server functions over HTTP, as the browser calls them; and the same forms, posted to their pages without JavaScript.

mod outage;
mod preferences;
mod refusals;
mod saves;

use std::collections::BTreeSet;

use caleida::ui::actions::is_action;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    app::{ADMIN, TestApp},
    browser::{Browser, Page},
};

const LIST: &str = "/integrations/webhook";
const NEW: &str = "/integrations/webhook/new";
const ADD: &str = "/integrations/webhook/actions/add";
const EDIT: &str = "/integrations/webhook/actions/edit";
const DELETE: &str = "/integrations/webhook/actions/delete";
const PAUSE: &str = "/integrations/webhook/actions/pause";
const RESUME: &str = "/integrations/webhook/actions/resume";
const REVEAL: &str = "/integrations/webhook/actions/reveal-secret";
const ROTATE: &str = "/integrations/webhook/actions/rotate-secret";
const TEST: &str = "/integrations/webhook/actions/test";
const CHECK_NAME: &str = "/integrations/webhook/actions/check-name";
const CHECK_URL: &str = "/integrations/webhook/actions/check-url";
const ACCOUNT: &str = "/settings/account";
const CHANGE_PASSWORD: &str = "/settings/actions/change-password";

/// The form of a webhook that can be added.
const ORDERS: [(&str, &str); 4] = [
    ("url", "https://example.com/orders"),
    ("name", "Orders & more"),
    ("secret", "a secret of at least 24 characters"),
    ("events", "chat"),
];

/// What a server function returns: JSON with the headers of every answer, whatever its status.
async fn call(browser: &mut Browser, function: &str, form: &[(&str, &str)]) -> Page {
    call_with(browser, function, form, &[]).await
}

async fn call_with(
    browser: &mut Browser,
    function: &str,
    form: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Page {
    assert!(is_action(function), "{function}");
    let answer = browser.post_with(function, form, headers).await;
    assert_is_answer(&answer, function);
    for (name, value) in form.iter().filter(|(_, value)| value.len() >= 8) {
        assert_no_header_has(&answer, name, value);
    }
    answer
}

fn assert_is_answer(answer: &Page, function: &str) {
    let header = |name: &str| {
        let value = answer.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("{function}: no {name}"));
        value.to_str().unwrap()
    };
    assert_eq!(header("content-type"), "application/json", "{}", answer.body);
    assert_eq!(header("cache-control"), "no-store", "{function}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{function}");
    assert_eq!(header("x-frame-options"), "DENY", "{function}");
    assert_eq!(header("referrer-policy"), "same-origin", "{function}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{function}");
    assert_eq!(
        header("cross-origin-resource-policy"),
        "same-origin",
        "{function}"
    );
    assert!(header("permissions-policy").contains("camera=()"), "{function}");
    assert_eq!(
        header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'",
        "{function}"
    );
    assert!(!header("x-request-id").is_empty(), "{function}");
    assert_eq!(answer.location, None, "{function} redirects");
    assert!(!answer.headers.contains_key("refresh"), "{function}");
    assert!(!answer.headers.contains_key("serverfnredirect"), "{function}");
}

/// Neither as it was typed, nor as it would look in an address.
fn assert_no_header_has(answer: &Page, name: &str, value: &str) {
    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    for (header, text) in &answer.headers {
        let text = String::from_utf8_lossy(text.as_bytes());
        assert!(
            !text.contains(value) && !text.contains(&encoded),
            "{name} is in the header {header}: {text}"
        );
    }
}

/// A refusal for this reason, in the shape that the browser reads.
fn assert_refused(answer: &Page, status: StatusCode, error: &str) -> Value {
    let json = answer.json();
    assert_eq!(answer.status, status, "{json}");
    assert_eq!(json["error"], error, "{json}");
    let fields: BTreeSet<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["error", "fields", "message", "part", "retry_after", "version"];
    assert_eq!(fields, BTreeSet::from(expected));
    json
}

/// An outcome that leads to this page and says nothing else.
fn assert_leads_to(answer: &Page, path: &str) {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let expected = json!({ "to": path, "message": null, "part": null, "version": null });
    assert_eq!(answer.json(), expected);
}

/// The text as it stands in a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The value of a text field of the page.
fn value_of(page: &Page, field: &str) -> String {
    let start = format!("<input id=\"{field}\"");
    let input = page
        .body
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {field}"))
        .1;
    let input = input.split_once('>').unwrap().0;
    let value = input.split_once(" value=\"").map_or("", |(_, value)| value);
    value.split('"').next().unwrap().to_owned()
}

/// A webhook with its page, and somebody who may change it.
struct Bench {
    app: TestApp,
    browser: Browser,
    id: String,
    page: String,
}

impl Bench {
    async fn start() -> Self {
        Self::start_with_url("https://example.com/orders").await
    }

    async fn start_with_url(url: &str) -> Self {
        let app = TestApp::start().await;
        let webhook = app.add_webhook("Orders & more", url, &["chat"]).await;
        let id = webhook["id"].as_str().unwrap().to_owned();
        Self {
            browser: app.signed_in(ADMIN).await,
            page: format!("{LIST}/{id}"),
            app,
            id,
        }
    }

    /// The version that the page is based on.
    async fn version(&mut self) -> String {
        self.browser.get(&self.page).await.hidden("version")
    }

    /// The webhook as it is stored.
    async fn stored(&self) -> Value {
        self.app.get(&format!("/api/v1/webhooks/{}", self.id)).await
    }

    /// How many webhooks there are.
    async fn count(&self) -> usize {
        let list = self.app.get("/api/v1/webhooks").await;
        list["webhooks"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn get_on_a_function_is_405_in_json() {
    let mut bench = Bench::start().await;
    for function in [ADD, TEST, CHANGE_PASSWORD, CHECK_URL] {
        let answer = bench.browser.get(function).await;
        assert_is_answer(&answer, function);
        let json = assert_refused(&answer, StatusCode::METHOD_NOT_ALLOWED, "wrong_method");
        assert_eq!(answer.headers["allow"], "POST");
        assert_eq!(json["message"], "This address takes forms by POST.");
    }
}

#[tokio::test]
async fn an_unknown_function_is_404_in_json() {
    let bench = &mut Bench::start().await;
    for browser in [&mut bench.app.browser(), &mut bench.browser] {
        for function in [
            "/integrations/webhook/actions/nonsense",
            "/settings/actions/nonsense",
        ] {
            let answer = call(browser, function, &[]).await;
            assert_refused(&answer, StatusCode::NOT_FOUND, "not_found");
        }
    }
}

#[tokio::test]
async fn accept_and_referer_never_cause_a_redirect() {
    let bench = &mut Bench::start().await;
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let headers = [("accept", accept), ("referer", &*bench.app.url(NEW))];
    let answer = call_with(&mut bench.app.browser(), ADD, &ORDERS, &headers).await;
    assert_refused(&answer, StatusCode::UNAUTHORIZED, "signed_out");
    let answer = call_with(&mut bench.browser, ADD, &[], &headers).await;
    assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    let form = [ORDERS[0], ORDERS[1], ORDERS[3], ("id", "wh_0")];
    let answer = call_with(&mut bench.browser, EDIT, &form, &headers).await;
    assert_refused(&answer, StatusCode::NOT_FOUND, "not_found");
    let answer = call_with(&mut bench.browser, ADD, &ORDERS, &headers).await;
    assert_refused(&answer, StatusCode::CONFLICT, "name_taken");
    let form = [("id", &*bench.id)];
    let answer = call_with(&mut bench.browser, REVEAL, &form, &headers).await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = call_with(&mut bench.browser, DELETE, &form, &headers).await;
    assert_leads_to(&answer, LIST);
}

#[tokio::test]
async fn only_this_site_may_send_forms_to_functions() {
    let bench = &mut Bench::start().await;
    let own = bench.app.url("");
    let form = [("id", &*bench.id)];
    for headers in [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        for function in [
            DELETE,
            PAUSE,
            REVEAL,
            CHANGE_PASSWORD,
            "/settings/actions/set-theme",
        ] {
            let answer = call_with(&mut bench.browser, function, &form, headers).await;
            let json = assert_refused(&answer, StatusCode::FORBIDDEN, "not_allowed");
            let message = json["message"].as_str().unwrap();
            assert!(
                message.starts_with("Another site made your browser send this"),
                "{message}"
            );
            assert!(answer.set_cookie.is_none());
        }
    }
    assert_eq!(bench.stored().await["status"], "active");
    let headers = [("origin", &*own), ("sec-fetch-site", "same-origin")];
    let answer = call_with(&mut bench.browser, PAUSE, &form, &headers).await;
    assert_leads_to(&answer, LIST);
    assert_eq!(bench.stored().await["status"], "paused");
    assert_eq!(answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
}
