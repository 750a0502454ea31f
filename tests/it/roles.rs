//! Access control of the dashboard: every page, form and server function, requested by every role.
//!
//! The requests contain IDs that do not exist, so that no request changes anything: an allowed role gets 404, any other
//! role gets 403 before a lookup.

use std::{collections::BTreeSet, path::Path};

use caleida::{
    domain::Role,
    ui::{
        self,
        actions::{SETTINGS_ACTIONS, WEBHOOK_ACTIONS, is_action},
    },
};
use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Method, Response, header};
use serde_json::Value;

use crate::support::app::{ADMIN, TestApp};

/// Result of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Redirected to the sign-in page.
    SignIn,
    /// 401 in JSON, with a link to the sign-in page.
    SignedOut,
    /// 403, as a page or in JSON: this role is not allowed.
    Forbidden,
    /// Any other status.
    Status(u16),
}

use Outcome::{Forbidden, SignIn, SignedOut, Status};

const SHOWN: Outcome = Status(200);
const REDIRECT: Outcome = Status(303);
const UNKNOWN: Outcome = Status(404);
/// Response to an empty form.
const INCOMPLETE: Outcome = Status(422);

const GET: &str = "GET";
const POST: &str = "POST";

/// Outcomes without a session, and as viewer, member and admin.
type Outcomes = [Outcome; 4];

fn public(outcome: Outcome) -> Outcomes {
    [outcome; 4]
}

fn viewers(outcome: Outcome) -> Outcomes {
    [SignIn, outcome, outcome, outcome]
}

fn members(outcome: Outcome) -> Outcomes {
    [SignIn, Forbidden, outcome, outcome]
}

fn admins(outcome: Outcome) -> Outcomes {
    [SignIn, Forbidden, Forbidden, outcome]
}

/// The same access for a server function, which returns 401 instead of a redirect.
fn function(outcomes: Outcomes) -> Outcomes {
    outcomes.map(|outcome| if outcome == SignIn { SignedOut } else { outcome })
}

fn table() -> Vec<(&'static str, &'static str, Outcomes)> {
    vec![
        (GET, "/", public(REDIRECT)),
        (GET, "/integrations", public(REDIRECT)),
        (GET, "/login", [SHOWN, REDIRECT, REDIRECT, REDIRECT]),
        (POST, "/login", public(INCOMPLETE)),
        (POST, "/logout", public(REDIRECT)),
        (POST, "/theme", viewers(REDIRECT)),
        (POST, "/settings/actions/set-theme", function(viewers(SHOWN))),
        (GET, "/invite/{token}", public(UNKNOWN)),
        (POST, "/invite/{token}", public(UNKNOWN)),
        (GET, "/api/docs", public(SHOWN)),
        (GET, "/integrations/webhook", viewers(SHOWN)),
        (GET, "/integrations/webhook/new", members(SHOWN)),
        (POST, "/integrations/webhook/new", members(INCOMPLETE)),
        (
            POST,
            "/integrations/webhook/actions/add",
            function(members(INCOMPLETE)),
        ),
        (
            POST,
            "/integrations/webhook/actions/check-name",
            function(members(SHOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/check-url",
            function(members(SHOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/arrange",
            function(members(SHOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/preview-filter",
            function(members(SHOWN)),
        ),
        (GET, "/integrations/webhook/{id}", viewers(UNKNOWN)),
        (POST, "/integrations/webhook/{id}", admins(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/edit",
            function(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/pause",
            function(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/resume",
            function(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/reveal-secret",
            function(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/rotate-secret",
            function(admins(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/{id}/delete", admins(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/delete", admins(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/delete",
            function(admins(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/{id}/recover", members(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/recover", members(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/recover/live", members(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/preview-recovery",
            function(members(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/start-recovery",
            function(members(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/cancel-recovery",
            function(members(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/{id}/test", members(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/test", members(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/test",
            function(members(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/deliveries", viewers(SHOWN)),
        (GET, "/integrations/webhook/deliveries/live", viewers(SHOWN)),
        (GET, "/integrations/webhook/deliveries/{id}", viewers(UNKNOWN)),
        (
            GET,
            "/integrations/webhook/deliveries/{id}/response",
            viewers(UNKNOWN),
        ),
        (POST, "/integrations/webhook/deliveries/{id}", members(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/resend",
            function(members(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/{id}/deliveries", viewers(UNKNOWN)),
        (
            GET,
            "/integrations/webhook/{id}/deliveries/live",
            viewers(UNKNOWN),
        ),
        (GET, "/integrations/webhook/event-types", viewers(SHOWN)),
        (
            GET,
            "/integrations/webhook/event-types/{event_type}/test",
            viewers(UNKNOWN),
        ),
        (GET, "/integrations/webhook/guide", viewers(SHOWN)),
        (GET, "/integrations/webhook/events", viewers(SHOWN)),
        (GET, "/integrations/webhook/events/{id}", viewers(UNKNOWN)),
        (GET, "/integrations/webhook/events/{id}/body", viewers(UNKNOWN)),
        (GET, "/settings/account", viewers(SHOWN)),
        (POST, "/settings/account", viewers(INCOMPLETE)),
        (
            POST,
            "/settings/actions/change-password",
            function(viewers(INCOMPLETE)),
        ),
        (POST, "/settings/actions/end-session", function(viewers(UNKNOWN))),
        (
            POST,
            "/settings/actions/end-other-sessions",
            function(viewers(SHOWN)),
        ),
        (GET, "/settings/time-zone", viewers(SHOWN)),
        (POST, "/settings/time-zone", viewers(REDIRECT)),
        (POST, "/settings/actions/set-time-zone", function(viewers(SHOWN))),
        (GET, "/settings/api-keys", admins(SHOWN)),
        (GET, "/settings/api-keys/new", admins(SHOWN)),
        (POST, "/settings/api-keys/new", admins(INCOMPLETE)),
        (GET, "/settings/api-keys/{id}/revoke", admins(UNKNOWN)),
        (POST, "/settings/api-keys/{id}/revoke", admins(UNKNOWN)),
        (
            POST,
            "/settings/actions/add-api-key",
            function(admins(INCOMPLETE)),
        ),
        (
            POST,
            "/settings/actions/revoke-api-key",
            function(admins(UNKNOWN)),
        ),
        (GET, "/settings/audit-log", admins(SHOWN)),
        (GET, "/settings/audit-log/export", admins(SHOWN)),
        (GET, "/settings/users", admins(SHOWN)),
        (POST, "/settings/users", admins(INCOMPLETE)),
        (GET, "/settings/users/{id}", admins(UNKNOWN)),
        (POST, "/settings/users/{id}", admins(UNKNOWN)),
        (
            POST,
            "/settings/actions/invite-user",
            function(admins(INCOMPLETE)),
        ),
        (POST, "/settings/actions/renew-invite", function(admins(UNKNOWN))),
        (POST, "/settings/actions/revoke-invite", function(admins(UNKNOWN))),
        (POST, "/settings/actions/change-role", function(admins(UNKNOWN))),
        (POST, "/settings/actions/disable-user", function(admins(UNKNOWN))),
        (POST, "/settings/actions/enable-user", function(admins(UNKNOWN))),
    ]
}

/// Fills a path with well-formed IDs that do not exist.
fn with_unknown_ids(path: &str) -> String {
    let id = match path {
        _ if path.starts_with("/integrations/webhook/deliveries/") => "dlv_0",
        _ if path.starts_with("/integrations/webhook/events/") => "evt_0",
        _ if path.starts_with("/settings/users/") => "usr_0",
        _ if path.starts_with("/settings/api-keys/") => "key_0",
        _ => "wh_0",
    };
    path.replace("{id}", id)
        .replace("{event_type}", "no-such-type")
        .replace("{token}", "no-such-token")
}

async fn send(app: &TestApp, method: &str, path: &str, cookie: Option<&str>) -> Response {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = app.anonymous(method.clone(), path);
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    if method == Method::POST {
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    }
    request.send().await.unwrap()
}

async fn outcome(path: &str, response: Response) -> Outcome {
    let status = response.status().as_u16();
    let location = response.headers().get(header::LOCATION);
    let location = location.map_or("", |location| location.to_str().unwrap());
    if is_action(path) {
        assert_eq!(location, "", "{path} redirects");
        return function_outcome(path, response).await;
    }
    match status {
        303 if location.starts_with("/login?next=") => SignIn,
        403 => {
            let page = response.text().await.unwrap();
            assert!(explains_role(&page), "{page}");
            Forbidden
        }
        status => Status(status),
    }
}

/// Returns the outcome of a server function, which returns JSON for every status.
async fn function_outcome(path: &str, response: Response) -> Outcome {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/json",
        "{path}"
    );
    let json: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    match status {
        401 => {
            assert_eq!(json["error"], "signed_out", "{path}: {json}");
            let part = json["part"].as_str().unwrap();
            assert!(part.contains("href=\"/login\""), "{path}: {part}");
            SignedOut
        }
        403 => {
            assert_eq!(json["error"], "not_allowed", "{path}: {json}");
            assert!(explains_role(json["message"].as_str().unwrap()), "{path}: {json}");
            Forbidden
        }
        status => Status(status),
    }
}

fn explains_role(text: &str) -> bool {
    text.contains("Only admins may ") || text.contains("Viewers may not ")
}

#[tokio::test]
async fn routes_admit_only_their_roles() {
    let app = TestApp::start().await;
    app.add_user("viewer@example.com", Role::Viewer).await;
    app.add_user("member@example.com", Role::Member).await;
    let users = [
        None,
        Some("viewer@example.com"),
        Some("member@example.com"),
        Some(ADMIN),
    ];
    let mut wrong = Vec::new();
    for (column, email) in users.into_iter().enumerate() {
        let mut browser = app.browser();
        for (method, path, outcomes) in table() {
            if let (Some(email), None) = (email, &browser.cookie) {
                browser = app.signed_in(email).await;
            }
            let response = send(&app, method, &with_unknown_ids(path), browser.cookie.as_deref()).await;
            let found = outcome(path, response).await;
            if found != outcomes[column] {
                wrong.push(format!(
                    "{method} {path} as {}: {found:?} instead of {:?}",
                    email.unwrap_or("anonymous"),
                    outcomes[column]
                ));
            }
            if path == "/logout" {
                browser.cookie = None;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_route_is_in_the_table() {
    let routes: BTreeSet<_> = ui::routes()
        .into_iter()
        .map(|route| (route.method.to_string(), route.path))
        .collect();
    let known: BTreeSet<_> = table()
        .into_iter()
        .map(|(method, path, _)| (method.to_owned(), path))
        .collect();
    let missing: Vec<_> = routes.difference(&known).collect();
    assert!(missing.is_empty(), "add these routes to the table: {missing:?}");
    let gone: Vec<_> = known.difference(&routes).collect();
    assert!(gone.is_empty(), "these routes do not exist: {gone:?}");
    assert_eq!(routes.len(), ui::routes().len(), "duplicate route");
}

/// `end2end/tests/routes.spec.ts` compares this list with what the browser tests have visited.
#[test]
fn browser_tests_have_every_route() {
    let routes: Vec<String> = ui::routes()
        .into_iter()
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let expected = serde_json::to_string_pretty(&routes).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("end2end/routes.json");
    let file = std::fs::read_to_string(path).unwrap();
    assert_eq!(file, expected, "copy the second list to end2end/routes.json");
}

/// A server function in Leptos's inventory without a route cannot be called, and a route without a function does nothing.
#[test]
fn server_functions_match_their_routes() {
    let functions: BTreeSet<_> = server_fn_paths()
        .map(|(path, method)| (method.to_string(), path.to_owned()))
        .collect();
    let routes: BTreeSet<_> = ui::routes()
        .into_iter()
        .filter(|route| route.path.starts_with(WEBHOOK_ACTIONS) || route.path.starts_with(SETTINGS_ACTIONS))
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert!(!functions.is_empty(), "the inventory is empty");
    let unreachable: Vec<_> = functions.difference(&routes).collect();
    assert!(
        unreachable.is_empty(),
        "functions without a route: {unreachable:?}"
    );
    let dead: Vec<_> = routes.difference(&functions).collect();
    assert!(dead.is_empty(), "routes without a function: {dead:?}");
    assert!(
        functions
            .iter()
            .all(|(method, path)| method == POST && is_action(path))
    );
}

#[test]
fn declared_access_is_enforced() {
    for (method, path, outcomes) in table() {
        let mut routes = ui::routes().into_iter();
        let route = routes
            .find(|route| route.method.as_str() == method && route.path == path)
            .expect("the route exists");
        let expected = match outcomes {
            [SignIn | SignedOut, Forbidden, Forbidden, _] => Some(Role::Admin),
            [SignIn | SignedOut, Forbidden, ..] => Some(Role::Member),
            [SignIn | SignedOut, ..] => Some(Role::Viewer),
            _ => None,
        };
        let declared = match route.access {
            ui::Access::Public => None,
            ui::Access::SignedIn => Some(Role::Viewer),
            ui::Access::Requires(role, _) => Some(role),
        };
        assert_eq!(declared, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn role_change_applies_to_next_request() {
    let app = TestApp::start().await;
    app.add_user("ada@example.com", Role::Viewer).await;
    let mut browser = app.signed_in("ada@example.com").await;
    let mut admin = app.signed_in(ADMIN).await;
    let form = "/integrations/webhook/new";
    assert_eq!(browser.get(form).await.status, 403);
    let person = app.person("ada@example.com").await.user.id;
    let path = format!("/settings/users/{person}");
    assert_eq!(admin.post(&path, &[("role", "member")]).await.status, 303);
    assert_eq!(browser.get(form).await.status, 200);
    assert_eq!(admin.post(&path, &[("role", "viewer")]).await.status, 303);
    assert_eq!(browser.get(form).await.status, 403);
}
