//! The page of a delivery: small whatever its body, responses and number of attempts, with links to the whole.

use caleida::domain::Role;
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    app::{ADMIN, TestApp},
    browser::{Browser, Page},
    html::{attributes, texts},
    receiver::{Receiver, Reply},
};

/// A response that is as large as it is recorded, with characters that HTML escapes.
fn large_response() -> Reply {
    let value = "<&>\"".repeat(250);
    let names: Vec<_> = (0..60).map(|number| format!("x-{number}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (&**name, &*value)).collect();
    Reply::full(500, &headers, "<b>&amp;".repeat(3_000))
}

/// Publishes an event with a body of about this size, and waits until its delivery has failed.
async fn fail_delivery(app: &TestApp, size: usize) -> Value {
    let data = json!({ "text": "<é&\"".repeat(size / 5) });
    let body = json!({ "type": "chat", "id": "order-7", "data": data });
    app.post("/api/v1/events", body, StatusCode::ACCEPTED).await;
    app.wait_for("failed", 1).await.remove(0)
}

fn path(delivery: &Value) -> String {
    format!(
        "/integrations/webhook/deliveries/{}",
        delivery["id"].as_str().unwrap()
    )
}

async fn open(browser: &mut Browser, path: &str) -> Page {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(
        page.body.len() < 256 * 1024,
        "{path} has {} bytes",
        page.body.len()
    );
    page
}

#[tokio::test]
async fn delivery_page_stays_small_and_links_to_the_whole() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    receiver.reply_always(large_response());
    app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let delivery = fail_delivery(&app, 200_000).await;
    let mut browser = app.signed_in(ADMIN).await;
    // Three attempts each.
    for _ in 0..7 {
        let resend = format!("/api/v1/deliveries/{}/resend", delivery["id"].as_str().unwrap());
        app.post(&resend, json!({}), StatusCode::ACCEPTED).await;
        app.wait_for("failed", 1).await;
    }
    let sent = receiver.received();
    assert_eq!(sent.len(), 24);

    // All attempts can be reached, ten at a time.
    let (mut next, mut attempts) = (Some(path(&delivery)), Vec::new());
    while let Some(path) = next {
        let page = open(&mut browser, &path).await;
        let mut shown = texts(&page.body, ".attempt h3");
        assert!(shown.len() <= 10, "{shown:?}");
        shown.append(&mut attempts);
        attempts = shown;
        let links = attributes(&page.body, ".timeline a", "href");
        next = links.into_iter().find(|link| link.contains("before="));
        assert_eq!(page.body.contains("Newest attempts"), path.contains("before="));
    }
    let all: Vec<_> = (1..=24).map(|number| format!("Attempt {number}")).collect();
    assert_eq!(attempts, all);

    let page = open(&mut browser, &path(&delivery)).await;
    let whole = |noun: &str| {
        let links = attributes(&page.body, "p.quiet a", "href");
        let texts = texts(&page.body, "p.quiet a");
        let position = texts.iter().position(|text| text.contains(noun));
        links[position.unwrap_or_else(|| panic!("no link to the {noun}: {texts:?}"))].clone()
    };
    let body = browser.get(&whole("whole body")).await;
    assert_eq!(body.body.as_bytes(), sent[0].body);
    assert_eq!(body.headers[header::CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(body.headers["x-content-type-options"], "nosniff");
    assert!(
        body.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .starts_with("default-src 'none'")
    );
    let response = browser.get(&whole("whole response")).await;
    assert_eq!(
        response.headers[header::CONTENT_TYPE],
        "text/plain; charset=utf-8"
    );
    assert!(response.body.starts_with("500\n"), "{}", response.body);
    assert!(response.body.contains("\nx-59: <&>"), "{}", response.body);
    assert_eq!(response.body.matches("<b>&amp;").count(), 16 * 1024 / 8);
    let headers = browser.get(&whole("all headers")).await;
    assert_eq!(headers.status, StatusCode::OK);

    // A long body is a file of the command, which the page offers to save under this name.
    let command = texts(&page.body, ".curl code").remove(0);
    assert!(command.ends_with("--data-binary '@order-7.json'"), "{command}");
    assert_eq!(attributes(&page.body, ".curl a", "download")[0], "order-7.json");

    let event = open(&mut browser, "/integrations/webhook/events/order-7").await;
    assert!(event.body.contains("Show the whole body"), "{}", event.body);
}

#[tokio::test]
async fn short_body_is_shown_completely() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    receiver.reply_always(Reply::full(500, &[("x-one", "1")], "not now"));
    app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let delivery = fail_delivery(&app, 500).await;
    let mut browser = app.signed_in(ADMIN).await;
    let page = open(&mut browser, &path(&delivery)).await;
    let sent = String::from_utf8(receiver.received()[0].body.clone()).unwrap();
    let shown = texts(&page.body, "pre.inert");
    assert_eq!(shown.iter().filter(|text| **text == sent).count(), 1);
    assert_eq!(shown.iter().filter(|text| *text == "not now").count(), 3);
    assert!(!page.body.contains("Show the whole"), "{}", page.body);
    let commands = texts(&page.body, ".curl code");
    assert!(
        commands[0].ends_with(&format!("--data-raw '{sent}'")),
        "{}",
        commands[0]
    );
    assert!(!page.body.contains("Older attempts"));
}

#[tokio::test]
async fn whole_contents_require_a_session_of_the_account() {
    let (app, receiver) = (TestApp::start().await, Receiver::start().await);
    receiver.reply_always(Reply::Status(500));
    app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let delivery = fail_delivery(&app, 100_000).await;
    app.add_user("viewer@example.com", Role::Viewer).await;
    let mut viewer = app.signed_in("viewer@example.com").await;
    let response = format!("{}/response", path(&delivery));
    for address in ["/integrations/webhook/events/order-7/body", &response] {
        let anonymous = app.anonymous(Method::GET, address).send().await.unwrap();
        assert_eq!(anonymous.status(), StatusCode::SEE_OTHER);
        assert_eq!(viewer.get(address).await.status, StatusCode::OK);
    }
    for attempt in ["0", "4", "-1", "x", "99999999999"] {
        let page = viewer.get(&format!("{response}?attempt={attempt}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{attempt}");
    }
    for attempt in 1..=3 {
        let page = viewer.get(&format!("{response}?attempt={attempt}")).await;
        assert_eq!(page.status, StatusCode::OK);
    }
}
