//! Who may do what in the dashboard: every page, form and server function, requested by every role.
//!
//! The requests name things that do not exist, so that nothing changes from one request to the next: a role that is
//! allowed gets 404, and a role that is not allowed gets 403 before anything is looked up.

use std::collections::BTreeSet;

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
    /// 403: not allowed for this role, in a page or in JSON.
    Refused,
    Answered(u16),
}

use Outcome::{Answered, Refused, SignIn, SignedOut};

const SHOWN: Outcome = Answered(200);
/// It was done, or can be found elsewhere.
const LED_ON: Outcome = Answered(303);
const UNKNOWN: Outcome = Answered(404);
/// A form with nothing in it.
const INCOMPLETE: Outcome = Answered(422);

const GET: &str = "GET";
const POST: &str = "POST";

/// By nobody, a viewer, a member and an admin.
type Outcomes = [Outcome; 4];

fn everybody(outcome: Outcome) -> Outcomes {
    [outcome; 4]
}

fn viewers(outcome: Outcome) -> Outcomes {
    [SignIn, outcome, outcome, outcome]
}

fn members(outcome: Outcome) -> Outcomes {
    [SignIn, Refused, outcome, outcome]
}

fn admins(outcome: Outcome) -> Outcomes {
    [SignIn, Refused, Refused, outcome]
}

/// The same access for a server function, which does not redirect.
fn called(outcomes: Outcomes) -> Outcomes {
    outcomes.map(|outcome| if outcome == SignIn { SignedOut } else { outcome })
}

fn table() -> Vec<(&'static str, &'static str, Outcomes)> {
    vec![
        (GET, "/", everybody(LED_ON)),
        (GET, "/integrations", everybody(LED_ON)),
        (GET, "/login", [SHOWN, LED_ON, LED_ON, LED_ON]),
        (POST, "/login", everybody(INCOMPLETE)),
        (POST, "/logout", everybody(LED_ON)),
        (POST, "/theme", viewers(LED_ON)),
        (POST, "/settings/actions/set-theme", called(viewers(SHOWN))),
        (GET, "/invite/{token}", everybody(UNKNOWN)),
        (POST, "/invite/{token}", everybody(UNKNOWN)),
        (GET, "/api/docs", everybody(SHOWN)),
        (GET, "/integrations/webhook", viewers(SHOWN)),
        (GET, "/integrations/webhook/new", members(SHOWN)),
        (POST, "/integrations/webhook/new", members(INCOMPLETE)),
        (
            POST,
            "/integrations/webhook/actions/add",
            called(members(INCOMPLETE)),
        ),
        (
            POST,
            "/integrations/webhook/actions/check-name",
            called(members(SHOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/check-url",
            called(members(SHOWN)),
        ),
        (GET, "/integrations/webhook/{id}", viewers(UNKNOWN)),
        (POST, "/integrations/webhook/{id}", admins(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/edit",
            called(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/pause",
            called(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/resume",
            called(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/reveal-secret",
            called(admins(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/rotate-secret",
            called(admins(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/{id}/delete", admins(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/delete", admins(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/delete",
            called(admins(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/{id}/recover", members(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/recover", members(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/recover/live", members(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/preview-recovery",
            called(members(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/start-recovery",
            called(members(UNKNOWN)),
        ),
        (
            POST,
            "/integrations/webhook/actions/cancel-recovery",
            called(members(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/{id}/test", members(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/test", members(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/test",
            called(members(UNKNOWN)),
        ),
        (GET, "/integrations/webhook/deliveries", viewers(SHOWN)),
        (GET, "/integrations/webhook/deliveries/live", viewers(SHOWN)),
        (GET, "/integrations/webhook/deliveries/{id}", viewers(UNKNOWN)),
        (POST, "/integrations/webhook/deliveries/{id}", members(UNKNOWN)),
        (
            POST,
            "/integrations/webhook/actions/resend",
            called(members(UNKNOWN)),
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
        (GET, "/settings/account", viewers(SHOWN)),
        (POST, "/settings/account", viewers(INCOMPLETE)),
        (
            POST,
            "/settings/actions/change-password",
            called(viewers(INCOMPLETE)),
        ),
        (POST, "/settings/actions/end-session", called(viewers(UNKNOWN))),
        (
            POST,
            "/settings/actions/end-other-sessions",
            called(viewers(SHOWN)),
        ),
        (GET, "/settings/time-zone", viewers(SHOWN)),
        (POST, "/settings/time-zone", viewers(LED_ON)),
        (POST, "/settings/actions/set-time-zone", called(viewers(SHOWN))),
        (GET, "/settings/api-keys", admins(SHOWN)),
        (GET, "/settings/api-keys/new", admins(SHOWN)),
        (POST, "/settings/api-keys/new", admins(INCOMPLETE)),
        (GET, "/settings/api-keys/{id}/revoke", admins(UNKNOWN)),
        (POST, "/settings/api-keys/{id}/revoke", admins(UNKNOWN)),
        (POST, "/settings/actions/add-api-key", called(admins(INCOMPLETE))),
        (POST, "/settings/actions/revoke-api-key", called(admins(UNKNOWN))),
        (GET, "/settings/audit-log", admins(SHOWN)),
        (GET, "/settings/audit-log/export", admins(SHOWN)),
        (GET, "/settings/users", admins(SHOWN)),
        (POST, "/settings/users", admins(INCOMPLETE)),
        (GET, "/settings/users/{id}", admins(UNKNOWN)),
        (POST, "/settings/users/{id}", admins(UNKNOWN)),
        (POST, "/settings/actions/invite-user", called(admins(INCOMPLETE))),
        (POST, "/settings/actions/renew-invite", called(admins(UNKNOWN))),
        (POST, "/settings/actions/revoke-invite", called(admins(UNKNOWN))),
        (POST, "/settings/actions/change-role", called(admins(UNKNOWN))),
        (POST, "/settings/actions/disable-user", called(admins(UNKNOWN))),
        (POST, "/settings/actions/enable-user", called(admins(UNKNOWN))),
    ]
}

/// With ids of the right kind that name nothing.
fn unknown(path: &str) -> String {
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

async fn ask(app: &TestApp, method: &str, path: &str, cookie: Option<&str>) -> Response {
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
        return returned(path, response).await;
    }
    match status {
        303 if location.starts_with("/login?next=") => SignIn,
        403 => {
            let page = response.text().await.unwrap();
            assert!(says_why(&page), "{page}");
            Refused
        }
        status => Answered(status),
    }
}

/// Outcome of a server function, which is JSON whatever its status.
async fn returned(path: &str, response: Response) -> Outcome {
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
            assert!(says_why(json["message"].as_str().unwrap()), "{path}: {json}");
            Refused
        }
        status => Answered(status),
    }
}

fn says_why(text: &str) -> bool {
    text.contains("Only admins may ") || text.contains("Viewers may not ")
}

#[tokio::test]
async fn every_page_form_and_function_admits_only_its_roles() {
    let app = TestApp::start().await;
    app.add_user("viewer@example.com", Role::Viewer).await;
    app.add_user("member@example.com", Role::Member).await;
    let people = [
        None,
        Some("viewer@example.com"),
        Some("member@example.com"),
        Some(ADMIN),
    ];
    let mut wrong = Vec::new();
    for (who, email) in people.into_iter().enumerate() {
        let mut browser = app.browser();
        for (method, path, outcomes) in table() {
            if let (Some(email), None) = (email, &browser.cookie) {
                browser = app.signed_in(email).await;
            }
            let response = ask(&app, method, &unknown(path), browser.cookie.as_deref()).await;
            let found = outcome(path, response).await;
            if found != outcomes[who] {
                wrong.push(format!(
                    "{method} {path} by {}: {found:?} instead of {:?}",
                    email.unwrap_or("nobody"),
                    outcomes[who]
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
fn no_route_is_without_its_line_in_the_table() {
    let there: BTreeSet<_> = ui::routes()
        .into_iter()
        .map(|route| (route.method.to_string(), route.path))
        .collect();
    let known: BTreeSet<_> = table()
        .into_iter()
        .map(|(method, path, _)| (method.to_owned(), path))
        .collect();
    let unknown: Vec<_> = there.difference(&known).collect();
    assert!(unknown.is_empty(), "no line of the table is about {unknown:?}");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "there is no {gone:?}");
    assert_eq!(there.len(), ui::routes().len(), "a route is there twice");
}

/// The router and the inventory that Leptos keeps of its server functions must not drift apart: a function without its
/// route cannot be called, and a route without its function answers nothing.
#[test]
fn no_server_function_is_without_its_route() {
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
    assert!(unreachable.is_empty(), "no route leads to {unreachable:?}");
    let dead: Vec<_> = routes.difference(&functions).collect();
    assert!(dead.is_empty(), "there is no function at {dead:?}");
    assert!(
        functions
            .iter()
            .all(|(method, path)| method == POST && is_action(path))
    );
}

#[test]
fn the_table_of_routes_states_the_access_that_is_enforced() {
    for (method, path, outcomes) in table() {
        let mut routes = ui::routes().into_iter();
        let route = routes
            .find(|route| route.method.as_str() == method && route.path == path)
            .expect("it is there");
        let expected = match outcomes {
            [SignIn | SignedOut, Refused, Refused, _] => Some(Role::Admin),
            [SignIn | SignedOut, Refused, ..] => Some(Role::Member),
            [SignIn | SignedOut, ..] => Some(Role::Viewer),
            _ => None,
        };
        let stated = match route.access {
            ui::Access::Everybody => None,
            ui::Access::SignedIn => Some(Role::Viewer),
            ui::Access::Needs(role, _) => Some(role),
        };
        assert_eq!(stated, expected, "{method} {path}");
    }
}

#[tokio::test]
async fn another_role_counts_from_the_next_request_on() {
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
