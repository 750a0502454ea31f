//! Server functions over HTTP, and the same forms posted to their pages without JavaScript.

mod errors;
mod outage;
mod preferences;
mod saves;

use std::collections::BTreeSet;

use caleida::ui::actions::is_action;
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    app::{ADMIN, TestApp},
    browser::{Browser, Page},
    html::{attributes, texts},
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

/// A valid form of a new webhook.
const ORDERS: [(&str, &str); 4] = [
    ("url", "https://example.com/orders"),
    ("name", "Orders & more"),
    ("secret", "a secret of at least 24 characters"),
    ("events", "chat"),
];

/// Calls a server function and asserts that the response has the common headers.
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
    let response = browser.post_with(function, form, headers).await;
    assert_is_function_response(&response, function);
    for (name, value) in form.iter().filter(|(_, value)| value.len() >= 8) {
        assert_no_header_has(&response, name, value);
    }
    response
}

fn assert_is_function_response(response: &Page, function: &str) {
    let header = |name: &str| {
        let value = response.headers.get(name);
        let value = value.unwrap_or_else(|| panic!("{function}: no {name}"));
        value.to_str().unwrap()
    };
    assert_eq!(header("content-type"), "application/json", "{}", response.body);
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
    assert_eq!(response.location, None, "{function} redirects");
    assert!(!response.headers.contains_key("refresh"), "{function}");
    assert!(!response.headers.contains_key("serverfnredirect"), "{function}");
}

/// Asserts that no response header contains the value, neither plain nor URL-encoded.
fn assert_no_header_has(response: &Page, name: &str, value: &str) {
    let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    for (header, text) in &response.headers {
        let text = String::from_utf8_lossy(text.as_bytes());
        assert!(
            !text.contains(value) && !text.contains(&encoded),
            "{name} is in the header {header}: {text}"
        );
    }
}

/// Asserts a failure with this status and error code, and returns the JSON.
fn assert_error(response: &Page, status: StatusCode, error: &str) -> Value {
    let json = response.json();
    assert_eq!(response.status, status, "{json}");
    assert_eq!(json["error"], error, "{json}");
    let fields: BTreeSet<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["error", "fields", "message", "part", "retry_after", "version"];
    assert_eq!(fields, BTreeSet::from(expected));
    json
}

/// Asserts a successful response that sends the browser to this path and has no message.
fn assert_redirects_to(response: &Page, path: &str) {
    assert_eq!(response.status, StatusCode::OK, "{}", response.body);
    let expected = json!({ "to": path, "message": null, "part": null, "version": null });
    assert_eq!(response.json(), expected);
}

/// Escapes text like HTML content.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Returns the value of a text field on the page.
fn value_of(page: &Page, field: &str) -> String {
    let selector = format!("input#{field}");
    assert_eq!(texts(&page.body, &selector).len(), 1, "no {field}");
    // An empty field has no value.
    let value = attributes(&page.body, &selector, "value").pop();
    value.unwrap_or_default()
}

/// A server with one webhook, and a browser with an admin's session.
struct Fixture {
    app: TestApp,
    browser: Browser,
    id: String,
    page: String,
}

impl Fixture {
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

    /// Returns the version in the form of the page.
    async fn version(&mut self) -> String {
        self.browser.get(&self.page).await.hidden("version")
    }

    /// Returns the stored webhook.
    async fn stored(&self) -> Value {
        self.app.get(&format!("/api/v1/webhooks/{}", self.id)).await
    }

    /// Returns the number of webhooks.
    async fn count(&self) -> usize {
        let list = self.app.get("/api/v1/webhooks").await;
        list["webhooks"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn get_on_server_function_returns_405_json() {
    let mut fixture = Fixture::start().await;
    for function in [ADD, TEST, CHANGE_PASSWORD, CHECK_URL] {
        let response = fixture.browser.get(function).await;
        assert_is_function_response(&response, function);
        let json = assert_error(&response, StatusCode::METHOD_NOT_ALLOWED, "wrong_method");
        assert_eq!(response.headers["allow"], "POST");
        assert_eq!(json["message"], "This URL only accepts POST requests.");
    }
}

#[tokio::test]
async fn unknown_server_function_returns_404_json() {
    let fixture = &mut Fixture::start().await;
    for browser in [&mut fixture.app.browser(), &mut fixture.browser] {
        for function in [
            "/integrations/webhook/actions/nonsense",
            "/settings/actions/nonsense",
        ] {
            let response = call(browser, function, &[]).await;
            assert_error(&response, StatusCode::NOT_FOUND, "not_found");
        }
    }
}

#[tokio::test]
async fn accept_and_referer_never_cause_redirects() {
    let fixture = &mut Fixture::start().await;
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let headers = [("accept", accept), ("referer", &*fixture.app.url(NEW))];
    let response = call_with(&mut fixture.app.browser(), ADD, &ORDERS, &headers).await;
    assert_error(&response, StatusCode::UNAUTHORIZED, "signed_out");
    let response = call_with(&mut fixture.browser, ADD, &[], &headers).await;
    assert_error(&response, StatusCode::UNPROCESSABLE_ENTITY, "invalid");
    let form = [ORDERS[0], ORDERS[1], ORDERS[3], ("id", "wh_0")];
    let response = call_with(&mut fixture.browser, EDIT, &form, &headers).await;
    assert_error(&response, StatusCode::NOT_FOUND, "not_found");
    let response = call_with(&mut fixture.browser, ADD, &ORDERS, &headers).await;
    assert_error(&response, StatusCode::CONFLICT, "name_taken");
    let form = [("id", &*fixture.id)];
    let response = call_with(&mut fixture.browser, REVEAL, &form, &headers).await;
    assert_eq!(response.status, StatusCode::OK);
    let response = call_with(&mut fixture.browser, DELETE, &form, &headers).await;
    assert_redirects_to(&response, LIST);
}

#[tokio::test]
async fn cross_site_calls_of_functions_are_rejected() {
    let fixture = &mut Fixture::start().await;
    let own = fixture.app.url("");
    let form = [("id", &*fixture.id)];
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
            let response = call_with(&mut fixture.browser, function, &form, headers).await;
            let json = assert_error(&response, StatusCode::FORBIDDEN, "not_allowed");
            let message = json["message"].as_str().unwrap();
            // Without `Sec-Fetch-Site`, the reason may be a proxy that changes `Host`.
            let expected = if headers[0].0 == "origin" {
                "The form was sent from another address"
            } else {
                "Another site made your browser send this"
            };
            assert!(message.starts_with(expected), "{message}");
            assert!(response.set_cookie.is_none());
        }
    }
    assert_eq!(fixture.stored().await["status"], "active");
    let headers = [("origin", &*own), ("sec-fetch-site", "same-origin")];
    let response = call_with(&mut fixture.browser, PAUSE, &form, &headers).await;
    assert_redirects_to(&response, LIST);
    assert_eq!(fixture.stored().await["status"], "paused");
    assert_eq!(response.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), None);
}
