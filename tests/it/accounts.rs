//! Nothing crosses accounts: whatever id of another account is named, it is as if there were no such thing.

use std::collections::BTreeMap;

use caleida::{
    domain::{AccountId, Email, Role},
    server::clock::SystemClock,
    ui,
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    app::{ADMIN, PASSWORD, TestApp},
    browser::Browser,
    receiver::Receiver,
};

const THEIR_ADMIN: &str = "eve@example.com";

/// What an account has, by the prefix of its id.
type Ids = BTreeMap<&'static str, String>;

async fn fill(app: &TestApp, receiver: &Receiver, browser: &mut Browser) -> Ids {
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let webhook = webhook["id"].as_str().unwrap().to_owned();
    let event = app.publish("chat").await["id"].as_str().unwrap().to_owned();
    let deliveries = app.wait_for("delivered", 1).await;
    let path = format!("/api/v1/webhooks/{webhook}/recover");
    let wanted = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
    let recovery: Value = app.post(&path, wanted, StatusCode::ACCEPTED).await;
    app.add_user("bob@example.com", Role::Member).await;
    let page = browser.get("/settings/account").await.body;
    let session = cut(&page, "/settings/account/sessions/", "/end");
    let form = [("email", "carol@example.com"), ("role", "viewer")];
    let invited = browser.post("/settings/users", &form).await;
    let invite = cut(&invited.body, "/settings/users/invites/", "/renew");
    BTreeMap::from([
        ("wh_", webhook),
        ("evt_", event),
        ("dlv_", deliveries[0]["id"].as_str().unwrap().to_owned()),
        ("rcv_", recovery["id"].as_str().unwrap().to_owned()),
        ("usr_", app.person("bob@example.com").await.user.id.to_string()),
        ("ses_", session),
        ("inv_", invite),
    ])
}

fn cut(page: &str, from: &str, to: &str) -> String {
    let rest = page
        .split_once(from)
        .unwrap_or_else(|| panic!("{from} is not in {page}"))
        .1;
    rest.split_once(to).unwrap().0.to_owned()
}

/// Which ids a path takes, in their order.
fn kinds(path: &str) -> Vec<&'static str> {
    let first = match path {
        _ if path.contains("/deliveries/{id}") => "dlv_",
        _ if path.contains("/events/{id}") => "evt_",
        _ if path.contains("/invites/{id}") => "inv_",
        _ if path.contains("/users/{id}") => "usr_",
        _ if path.contains("/sessions/{id}") => "ses_",
        _ if path.contains("/webhook/{id}") => "wh_",
        _ => return Vec::new(),
    };
    match path {
        _ if path.contains("{recovery}") => vec![first, "rcv_"],
        _ => vec![first],
    }
}

fn filled(path: &str, kinds: &[&str], id: impl Fn(&str) -> String) -> String {
    let mut path = path.replacen("{id}", &id(kinds[0]), 1);
    if let Some(second) = kinds.get(1) {
        path = path.replacen("{recovery}", &id(second), 1);
    }
    path
}

/// Status, where it leads, and the page, without the ids that were asked for and its nonce.
async fn answer(
    app: &TestApp,
    method: &Method,
    path: &str,
    browser: &Browser,
    ids: &[String],
) -> [String; 3] {
    // Whatever form it is, this is in order, and changes nothing that the others need.
    let body = "name=orders&url=http%3A%2F%2F127.0.0.1%3A9%2F&events=chat&role=viewer&type=chat";
    let mut request = app.anonymous(method.clone(), path);
    request = request.header(header::COOKIE, browser.cookie.clone().unwrap());
    if *method == Method::POST {
        request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
    }
    let response = request.send().await.unwrap();
    let policy = response.headers().get(header::CONTENT_SECURITY_POLICY);
    let policy = policy.map_or("", |policy| policy.to_str().unwrap());
    let nonce = policy
        .split_once("'nonce-")
        .and_then(|(_, rest)| rest.split_once('\''));
    let nonce = nonce.map_or("no nonce", |(nonce, _)| nonce).to_owned();
    let status = response.status().to_string();
    let location = response.headers().get(header::LOCATION);
    let location = location.map_or(String::new(), |location| location.to_str().unwrap().to_owned());
    // A log that goes on for ever is none that would end here.
    let live = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "text/event-stream");
    let body = if live {
        "live".to_owned()
    } else {
        response.text().await.unwrap()
    };
    [status, location, body.replace(&nonce, "")]
        .map(|text| ids.iter().fold(text, |text, id| text.replace(id.as_str(), "ID")))
}

async fn another_account(app: &TestApp) -> AccountId {
    let now = caleida::domain::Clock::now(&SystemClock);
    let account = app.server().store.ensure_account("another", now).await.unwrap();
    let admin = Email::parse(THEIR_ADMIN).unwrap();
    let auth = &app.server().auth;
    let added = auth
        .add_user(account.clone(), &admin, Role::Admin, PASSWORD)
        .await;
    added.unwrap();
    account
}

#[tokio::test]
async fn what_another_account_has_is_answered_like_what_nobody_has() {
    let app = TestApp::start().await;
    let mut own = app.signed_in(ADMIN).await;
    // A session besides the one that looks.
    app.signed_in(ADMIN).await;
    let receiver = Receiver::start().await;
    let ids = fill(&app, &receiver, &mut own).await;
    another_account(&app).await;
    let theirs = app.signed_in(THEIR_ADMIN).await;
    let mut routes: Vec<_> = ui::routes()
        .into_iter()
        .map(|route| (route.method, route.path))
        .filter(|(_, path)| !kinds(path).is_empty())
        .collect();
    // What makes an end of something comes after everything else that is done to it.
    routes.sort_by_key(|(_, path)| ["/disable", "/end", "/revoke", "/delete"].map(|end| path.ends_with(end)));
    let mut tried = 0;
    for (method, path) in routes {
        let kinds = kinds(path);
        let real = filled(path, &kinds, |kind| ids[kind].clone());
        let nobodys = filled(path, &kinds, |kind| format!("{kind}0"));
        let real_ids: Vec<_> = kinds.iter().map(|kind| ids[kind].clone()).collect();
        let no_ids: Vec<_> = kinds.iter().map(|kind| format!("{kind}0")).collect();
        let found = answer(&app, &method, &real, &theirs, &real_ids).await;
        let nothing = answer(&app, &method, &nobodys, &theirs, &no_ids).await;
        assert_eq!(found, nothing, "{method} {path}");
        // By GET, who comes back to the address of a form is only led to its page, whatever it names; and cancelling
        // says of every recovery that does not run that there was nothing to cancel.
        let led_on = found[0].starts_with("303") && (method == Method::GET || path.ends_with("/cancel"));
        assert!(
            found[0].starts_with("404") || led_on,
            "{method} {path}: {}",
            found[0]
        );
        // Nothing was wrong with the request but who made it.
        let by_owner = answer(&app, &method, &real, &own, &real_ids).await;
        assert!(
            !by_owner[0].starts_with("404"),
            "{method} {path}: {}",
            by_owner[0]
        );
        tried += 1;
    }
    assert!(tried > 30, "{tried}");
}

#[tokio::test]
async fn a_filter_by_what_another_account_has_finds_nothing() {
    let app = TestApp::start().await;
    let mut own = app.signed_in(ADMIN).await;
    app.signed_in(ADMIN).await;
    let receiver = Receiver::start().await;
    let ids = fill(&app, &receiver, &mut own).await;
    another_account(&app).await;
    let theirs = app.signed_in(THEIR_ADMIN).await;
    for (query, kind) in [("webhook", "wh_"), ("event", "evt_"), ("before", "dlv_")] {
        let path = |id: &str| format!("/integrations/webhook/deliveries?{query}={id}");
        let (real, nobodys) = (ids[kind].clone(), format!("{kind}0"));
        let found = answer(
            &app,
            &Method::GET,
            &path(&real),
            &theirs,
            std::slice::from_ref(&real),
        )
        .await;
        let nothing = answer(
            &app,
            &Method::GET,
            &path(&nobodys),
            &theirs,
            std::slice::from_ref(&nobodys),
        )
        .await;
        assert_eq!(found, nothing, "{query}");
        assert!(found[0].starts_with("200"));
    }
    for page in ["/settings/users", "/settings/account", "/integrations/webhook"] {
        let [_, _, body] = answer(&app, &Method::GET, page, &theirs, &[]).await;
        for (kind, id) in &ids {
            assert!(!body.contains(id.as_str()), "{page} shows {kind}");
        }
        for email in [ADMIN, "bob@example.com", "carol@example.com"] {
            assert!(!body.contains(email), "{page} shows {email}");
        }
    }
}
