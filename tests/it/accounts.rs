//! Account isolation: the ID of another account's resource behaves like an unknown ID.

use std::collections::{BTreeMap, BTreeSet};

use caleida::{
    domain::{AccountId, Email, Role},
    server::clock::SystemClock,
    ui,
};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use crate::support::{
    app::{ADMIN, PASSWORD, TestApp, eventually},
    browser::{Browser, form_urlencoded},
    receiver::Receiver,
};

const OTHER_ADMIN: &str = "eve@example.com";

/// One resource of each kind, by ID prefix.
type Ids = BTreeMap<&'static str, String>;

/// Adds two resources of each kind: requests to pages may end the first, requests to server functions the second.
async fn fill(app: &TestApp, receiver: &Receiver, browser: &mut Browser) -> [Ids; 2] {
    let sessions = browser.get("/settings/account").await.all_hidden("session");
    let [first, second] = sessions.as_slice() else {
        panic!("expected two other sessions, got {sessions:?}");
    };
    let first = fill_once(app, receiver, browser, "orders", "chat", first).await;
    let second = fill_once(app, receiver, browser, "users", "message", second).await;
    [first, second]
}

/// `name` is the name of the webhook and the prefix of all other names.
async fn fill_once(
    app: &TestApp,
    receiver: &Receiver,
    browser: &mut Browser,
    name: &str,
    event_type: &str,
    session: &str,
) -> Ids {
    let text = |value: &Value| value["id"].as_str().unwrap().to_owned();
    let webhook = text(&app.add_webhook(name, &receiver.url("/"), &[event_type]).await);
    let event = text(&app.publish(event_type).await);
    let query = format!("status=delivered&webhook={webhook}");
    let delivery = eventually(|| async { app.deliveries(&query).await.pop() }).await;
    let path = format!("/api/v1/webhooks/{webhook}/recover");
    let range = json!({ "scope": "missed", "since": "2026-01-01T00:00:00Z" });
    let recovery = app.post(&path, range, StatusCode::ACCEPTED).await;
    let member = format!("{name}-member@example.com");
    app.add_user(&member, Role::Member).await;
    let invited = format!("{name}-invited@example.com");
    let form = [("email", &*invited), ("role", "viewer")];
    let page = browser.post("/settings/users", &form).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let store = &app.server().store;
    let invites = store.of(&app.account).invites().await.unwrap();
    let invite = invites
        .into_iter()
        .find(|invite| invite.email == invited)
        .unwrap();
    let key = [("name", name), ("scopes", "events:write"), ("expiry", "never")];
    let created = browser.post("/settings/api-keys/new", &key).await;
    assert_eq!(created.status, StatusCode::OK, "{}", created.body);
    let keys = store.of(&app.account).api_keys().await.unwrap();
    let key = keys.into_iter().find(|row| row.key.name == name).unwrap();
    BTreeMap::from([
        ("wh_", webhook),
        ("evt_", event),
        ("dlv_", text(&delivery.expect("the event is delivered"))),
        ("rcv_", text(&recovery)),
        ("usr_", app.person(&member).await.user.id.to_string()),
        ("ses_", session.to_owned()),
        ("inv_", invite.id.to_string()),
        ("key_", key.key.id.to_string()),
    ])
}

/// A request that contains IDs in its path, in its form, or both.
struct Request {
    method: Method,
    path: &'static str,
    /// Value of the submit button.
    button: &'static str,
    /// Form fields with the kind of ID that each contains.
    fields: &'static [(&'static str, &'static str)],
}

const fn posts(
    path: &'static str,
    button: &'static str,
    fields: &'static [(&'static str, &'static str)],
) -> Request {
    Request {
        method: Method::POST,
        path,
        button,
        fields,
    }
}

const WEBHOOK: &[(&str, &str)] = &[("id", "wh_")];
const RECOVERY: &[(&str, &str)] = &[("id", "wh_"), ("recovery", "rcv_")];
const USER: &[(&str, &str)] = &[("id", "usr_")];
const INVITE: &[(&str, &str)] = &[("invite", "inv_")];
const SESSION: &[(&str, &str)] = &[("session", "ses_")];

/// Forms on pages, one per button. Requests that delete something come last.
const FORMS: [Request; 17] = [
    posts("/integrations/webhook/{id}", "", &[]),
    posts("/integrations/webhook/{id}", "pause", &[]),
    posts("/integrations/webhook/{id}", "resume", &[]),
    posts("/integrations/webhook/{id}", "reveal", &[]),
    posts("/integrations/webhook/{id}", "rotate", &[]),
    posts("/integrations/webhook/{id}/test", "", &[]),
    posts("/integrations/webhook/{id}/recover", "", &[]),
    posts("/integrations/webhook/{id}/recover", "", &[("recovery", "rcv_")]),
    posts("/integrations/webhook/deliveries/{id}", "", &[]),
    posts("/settings/users/{id}", "", &[]),
    posts("/settings/users/{id}", "disable", &[]),
    posts("/settings/users/{id}", "enable", &[]),
    posts("/settings/users", "renew", INVITE),
    posts("/settings/users", "revoke", INVITE),
    posts("/settings/account", "end-session", SESSION),
    posts("/settings/api-keys/{id}/revoke", "", &[]),
    posts("/integrations/webhook/{id}/delete", "", &[]),
];

/// Server functions that take an ID. Requests that delete something come last.
const FUNCTIONS: [Request; 19] = [
    posts("/integrations/webhook/actions/arrange", "", WEBHOOK),
    posts("/integrations/webhook/actions/edit", "", WEBHOOK),
    posts("/integrations/webhook/actions/pause", "", WEBHOOK),
    posts("/integrations/webhook/actions/resume", "", WEBHOOK),
    posts("/integrations/webhook/actions/reveal-secret", "", WEBHOOK),
    posts("/integrations/webhook/actions/rotate-secret", "", WEBHOOK),
    posts("/integrations/webhook/actions/test", "", WEBHOOK),
    posts("/integrations/webhook/actions/preview-recovery", "", WEBHOOK),
    posts("/integrations/webhook/actions/start-recovery", "", WEBHOOK),
    posts("/integrations/webhook/actions/cancel-recovery", "", RECOVERY),
    posts("/integrations/webhook/actions/resend", "", &[("id", "dlv_")]),
    posts("/settings/actions/change-role", "", USER),
    posts("/settings/actions/disable-user", "", USER),
    posts("/settings/actions/enable-user", "", USER),
    posts("/settings/actions/renew-invite", "", INVITE),
    posts("/settings/actions/revoke-invite", "", INVITE),
    posts("/settings/actions/end-session", "", SESSION),
    posts("/settings/actions/revoke-api-key", "", &[("id", "key_")]),
    posts("/integrations/webhook/actions/delete", "", WEBHOOK),
];

/// Forms and functions without the ID of a resource. `check-name` takes the ID of the webhook that may keep its name, see
/// `names_of_other_accounts_are_free`.
const WITHOUT_IDS: [&str; 17] = [
    "/login",
    "/logout",
    "/invite/{token}",
    "/theme",
    "/settings/time-zone",
    "/integrations/webhook/new",
    "/settings/api-keys/new",
    "/integrations/webhook/actions/add",
    "/integrations/webhook/actions/check-name",
    "/integrations/webhook/actions/check-url",
    "/integrations/webhook/actions/preview-filter",
    "/settings/actions/change-password",
    "/settings/actions/end-other-sessions",
    "/settings/actions/set-time-zone",
    "/settings/actions/set-theme",
    "/settings/actions/add-api-key",
    "/settings/actions/invite-user",
];

/// Returns the kind of the ID in a path.
fn kind(path: &str) -> Option<&'static str> {
    let kinds = [
        ("/deliveries/{id}", "dlv_"),
        ("/events/{id}", "evt_"),
        ("/users/{id}", "usr_"),
        ("/api-keys/{id}", "key_"),
        ("/webhook/{id}", "wh_"),
    ];
    let kind = kinds.into_iter().find(|(part, _)| path.contains(part));
    kind.map(|(_, kind)| kind)
}

impl Request {
    /// Returns the kinds of all IDs in the request.
    fn kinds(&self) -> Vec<&'static str> {
        let fields = self.fields.iter().map(|(_, kind)| *kind);
        kind(self.path).into_iter().chain(fields).collect()
    }

    /// Sends the request and returns status, location and body, with IDs and nonce removed.
    async fn send(&self, app: &TestApp, browser: &Browser, id: impl Fn(&str) -> String) -> [String; 3] {
        let path = kind(self.path).map_or_else(
            || self.path.to_owned(),
            |kind| self.path.replace("{id}", &id(kind)),
        );
        // Valid for every form, and without effect on the other requests.
        let mut form: Vec<_> = [
            ("do", self.button),
            ("name", "orders"),
            ("url", "http://127.0.0.1:9/"),
            ("events", "chat"),
            ("role", "viewer"),
            ("type", "chat"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        form.extend(self.fields.iter().map(|(name, kind)| (*name, id(kind))));
        let ids: Vec<_> = self.kinds().into_iter().map(&id).collect();
        send(app, &self.method, &path, &form, browser, &ids).await
    }
}

async fn send(
    app: &TestApp,
    method: &Method,
    path: &str,
    form: &[(&str, String)],
    browser: &Browser,
    ids: &[String],
) -> [String; 3] {
    let mut request = app.anonymous(method.clone(), path);
    request = request.header(header::COOKIE, browser.cookie.clone().unwrap());
    if *method == Method::POST {
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, &**value)).collect();
        request = request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form_urlencoded(&form));
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
    let body = response.text().await.unwrap();
    [status, location, body.replace(&nonce, "")]
        .map(|text| ids.iter().fold(text, |text, id| text.replace(id.as_str(), "ID")))
}

async fn another_account(app: &TestApp) -> AccountId {
    let now = caleida::domain::Clock::now(&SystemClock);
    let account = app.server().store.ensure_account("another", now).await.unwrap();
    let admin = Email::parse(OTHER_ADMIN).unwrap();
    let auth = &app.server().auth;
    let added = auth
        .add_user(account.clone(), &admin, Role::Admin, PASSWORD)
        .await;
    added.unwrap();
    account
}

#[tokio::test]
async fn ids_of_other_accounts_behave_like_unknown_ids() {
    let app = TestApp::start().await;
    let mut owner = app.signed_in(ADMIN).await;
    // Two more sessions, for `fill`.
    app.signed_in(ADMIN).await;
    app.signed_in(ADMIN).await;
    let receiver = Receiver::start().await;
    let ids = fill(&app, &receiver, &mut owner).await;
    another_account(&app).await;
    let other = app.signed_in(OTHER_ADMIN).await;
    let pages = ui::routes()
        .into_iter()
        .filter(|route| route.method == Method::GET && kind(route.path).is_some());
    let pages = pages.map(|route| Request {
        method: Method::GET,
        ..posts(route.path, "", &[])
    });
    let requests = pages.chain(FORMS).map(|request| (request, &ids[0]));
    let requests = requests.chain(FUNCTIONS.map(|request| (request, &ids[1])));
    for (request, ids) in requests {
        let name = format!("{} {} {}", request.method, request.path, request.button);
        let unknown = |kind: &str| format!("{kind}{:032}", 0);
        let real = |kind: &str| ids[kind].clone();
        let found = request.send(&app, &other, real).await;
        let nothing = request.send(&app, &other, unknown).await;
        assert_eq!(found, nothing, "{name}");
        // Cancelling a recovery that is not running succeeds without effect.
        let cancels = request.kinds().contains(&"rcv_");
        let expected = match (cancels, request.path.contains("/actions/")) {
            (false, _) => "404",
            (true, false) => "303",
            (true, true) => "200",
        };
        assert!(found[0].starts_with(expected), "{name}: {}", found[0]);
        // The owner does not get 404 for the same request.
        let by_owner = request.send(&app, &owner, real).await;
        assert!(!by_owner[0].starts_with("404"), "{name}: {}", by_owner[0]);
    }
}

#[test]
fn every_form_and_function_has_a_request() {
    let routes: BTreeSet<_> = ui::routes()
        .into_iter()
        .filter(|route| route.method == Method::POST)
        .map(|route| route.path)
        .collect();
    let requests = FORMS.into_iter().chain(FUNCTIONS);
    let known: BTreeSet<_> = requests.map(|request| request.path).chain(WITHOUT_IDS).collect();
    let missing: Vec<_> = routes.difference(&known).collect();
    assert!(missing.is_empty(), "add these routes to a list: {missing:?}");
    let gone: Vec<_> = known.difference(&routes).collect();
    assert!(gone.is_empty(), "these routes do not exist: {gone:?}");
}

#[tokio::test]
async fn names_of_other_accounts_are_free() {
    let app = TestApp::start().await;
    let webhook = app.add_webhook("orders", "https://example.com/", &["chat"]).await;
    another_account(&app).await;
    let mut other = app.signed_in(OTHER_ADMIN).await;
    let id = webhook["id"].as_str().unwrap();
    for form in [&[("name", "orders")][..], &[("name", "orders"), ("id", id)]] {
        let checked = other.post("/integrations/webhook/actions/check-name", form).await;
        assert_eq!(checked.json(), json!({ "error": null, "advice": null }));
    }
}

#[tokio::test]
async fn filters_by_ids_of_other_accounts_find_nothing() {
    let app = TestApp::start().await;
    let mut owner = app.signed_in(ADMIN).await;
    app.signed_in(ADMIN).await;
    app.signed_in(ADMIN).await;
    let receiver = Receiver::start().await;
    let ids = fill(&app, &receiver, &mut owner).await;
    another_account(&app).await;
    let other = app.signed_in(OTHER_ADMIN).await;
    for (query, kind) in [("webhook", "wh_"), ("event", "evt_"), ("before", "dlv_")] {
        let path = |id: &str| format!("/integrations/webhook/deliveries?{query}={id}");
        let (real, unknown) = (ids[0][kind].clone(), format!("{kind}{:032}", 0));
        let found = send(
            &app,
            &Method::GET,
            &path(&real),
            &[],
            &other,
            std::slice::from_ref(&real),
        )
        .await;
        let nothing = send(
            &app,
            &Method::GET,
            &path(&unknown),
            &[],
            &other,
            std::slice::from_ref(&unknown),
        )
        .await;
        assert_eq!(found, nothing, "{query}");
        assert!(found[0].starts_with("200"));
    }
    for page in ["/settings/users", "/settings/account", "/integrations/webhook"] {
        let [_, _, body] = send(&app, &Method::GET, page, &[], &other, &[]).await;
        for (kind, id) in ids.iter().flatten() {
            assert!(!body.contains(id.as_str()), "{page} shows {kind}");
        }
        for email in [ADMIN, "orders-member@example.com", "orders-invited@example.com"] {
            assert!(!body.contains(email), "{page} shows {email}");
        }
    }
}
