//! Who may what in the dashboard: every route, asked by everybody.
//!
//! Things are named that do not exist, so that nothing changes from one request to the next: who may is told so (404),
//! and who may not is refused before anybody looks (403).

use std::collections::BTreeSet;

use caleida::{domain::Role, ui};
use reqwest::{Method, Response, header};

use crate::support::app::{ADMIN, TestApp};

/// What a request comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Sent to the sign-in page.
    SignIn,
    /// Not this role.
    Refused,
    Answered(u16),
}

use Outcome::{Answered, Refused, SignIn};

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

fn table() -> Vec<(&'static str, &'static str, Outcomes)> {
    vec![
        (GET, "/", everybody(LED_ON)),
        (GET, "/integrations", everybody(LED_ON)),
        (GET, "/login", [SHOWN, LED_ON, LED_ON, LED_ON]),
        (POST, "/login", everybody(INCOMPLETE)),
        (POST, "/logout", everybody(LED_ON)),
        (POST, "/theme", everybody(LED_ON)),
        (GET, "/invite/{token}", everybody(UNKNOWN)),
        (POST, "/invite/{token}", everybody(UNKNOWN)),
        (GET, "/api/docs", everybody(SHOWN)),
        (GET, "/integrations/webhook", viewers(SHOWN)),
        (GET, "/integrations/webhook/new", members(SHOWN)),
        (POST, "/integrations/webhook/new", members(INCOMPLETE)),
        (POST, "/integrations/webhook/advice", members(SHOWN)),
        (GET, "/integrations/webhook/{id}", viewers(UNKNOWN)),
        (POST, "/integrations/webhook/{id}", admins(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/delete", admins(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/delete", admins(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/recover", members(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/recover", members(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/recover/live", members(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/test", members(UNKNOWN)),
        (POST, "/integrations/webhook/{id}/test", members(UNKNOWN)),
        (GET, "/integrations/webhook/deliveries", viewers(SHOWN)),
        (GET, "/integrations/webhook/deliveries/live", viewers(SHOWN)),
        (GET, "/integrations/webhook/deliveries/{id}", viewers(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/deliveries", viewers(UNKNOWN)),
        (
            GET,
            "/integrations/webhook/{id}/deliveries/live",
            viewers(UNKNOWN),
        ),
        (GET, "/integrations/webhook/event-types", viewers(SHOWN)),
        (
            GET,
            "/integrations/webhook/event-types/{type}/test",
            viewers(UNKNOWN),
        ),
        (GET, "/integrations/webhook/guide", viewers(SHOWN)),
        (GET, "/integrations/webhook/events", viewers(SHOWN)),
        (GET, "/integrations/webhook/events/{id}", viewers(UNKNOWN)),
        (
            GET,
            "/integrations/webhook/deliveries/{id}/resend",
            viewers(LED_ON),
        ),
        (
            POST,
            "/integrations/webhook/deliveries/{id}/resend",
            members(UNKNOWN),
        ),
        (
            GET,
            "/integrations/webhook/{id}/recover/{recovery}/cancel",
            viewers(LED_ON),
        ),
        // An unknown recovery is none that could be cancelled.
        (
            POST,
            "/integrations/webhook/{id}/recover/{recovery}/cancel",
            members(LED_ON),
        ),
        (GET, "/integrations/webhook/{id}/pause", viewers(LED_ON)),
        (POST, "/integrations/webhook/{id}/pause", admins(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/resume", viewers(LED_ON)),
        (POST, "/integrations/webhook/{id}/resume", admins(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/reveal", viewers(LED_ON)),
        (POST, "/integrations/webhook/{id}/reveal", admins(UNKNOWN)),
        (GET, "/integrations/webhook/{id}/rotate", viewers(LED_ON)),
        (POST, "/integrations/webhook/{id}/rotate", admins(UNKNOWN)),
        (GET, "/settings/account", viewers(SHOWN)),
        (GET, "/settings/time-zone", viewers(SHOWN)),
        (POST, "/settings/time-zone", viewers(LED_ON)),
        (GET, "/settings/account/password", viewers(LED_ON)),
        (POST, "/settings/account/password", viewers(INCOMPLETE)),
        (GET, "/settings/account/sessions/end-others", viewers(LED_ON)),
        (POST, "/settings/account/sessions/end-others", viewers(LED_ON)),
        (GET, "/settings/account/sessions/{id}/end", viewers(LED_ON)),
        (POST, "/settings/account/sessions/{id}/end", viewers(UNKNOWN)),
        (GET, "/settings/api-keys", admins(SHOWN)),
        (GET, "/settings/api-keys/new", admins(SHOWN)),
        (POST, "/settings/api-keys/new", admins(INCOMPLETE)),
        (GET, "/settings/api-keys/{id}/revoke", admins(UNKNOWN)),
        (POST, "/settings/api-keys/{id}/revoke", admins(UNKNOWN)),
        (GET, "/settings/audit-log", admins(SHOWN)),
        (GET, "/settings/audit-log/export", admins(SHOWN)),
        (GET, "/settings/users", admins(SHOWN)),
        (POST, "/settings/users", admins(INCOMPLETE)),
        (GET, "/settings/users/{id}", admins(UNKNOWN)),
        (POST, "/settings/users/{id}", admins(UNKNOWN)),
        (GET, "/settings/users/{id}/disable", admins(LED_ON)),
        (POST, "/settings/users/{id}/disable", admins(UNKNOWN)),
        (GET, "/settings/users/{id}/enable", admins(LED_ON)),
        (POST, "/settings/users/{id}/enable", admins(UNKNOWN)),
        (GET, "/settings/users/invites/{id}/renew", admins(LED_ON)),
        (POST, "/settings/users/invites/{id}/renew", admins(UNKNOWN)),
        (GET, "/settings/users/invites/{id}/revoke", admins(LED_ON)),
        (POST, "/settings/users/invites/{id}/revoke", admins(UNKNOWN)),
    ]
}

/// With ids of the right kind that name nothing.
fn unknown(path: &str) -> String {
    let id = match path {
        _ if path.starts_with("/integrations/webhook/deliveries/") => "dlv_0",
        _ if path.starts_with("/integrations/webhook/events/") => "evt_0",
        _ if path.starts_with("/settings/users/invites/") => "inv_0",
        _ if path.starts_with("/settings/users/") => "usr_0",
        _ if path.starts_with("/settings/account/sessions/") => "ses_0",
        _ => "wh_0",
    };
    path.replace("{id}", id)
        .replace("{recovery}", "rcv_0")
        .replace("{type}", "no-such-type")
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

async fn outcome(response: Response) -> Outcome {
    let status = response.status().as_u16();
    let location = response.headers().get(header::LOCATION);
    let location = location.map_or("", |location| location.to_str().unwrap());
    match status {
        303 if location.starts_with("/login?next=") => SignIn,
        403 => {
            let page = response.text().await.unwrap();
            let says_why = page.contains("Only admins may ") || page.contains("Viewers may not ");
            assert!(says_why, "{page}");
            Refused
        }
        status => Answered(status),
    }
}

#[tokio::test]
async fn every_route_lets_in_whom_it_should() {
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
            let found = outcome(response).await;
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
fn no_route_is_without_its_line_here() {
    let there: BTreeSet<_> = ui::routes()
        .into_iter()
        .map(|route| (route.method.to_string(), route.path))
        .collect();
    let known: BTreeSet<_> = table()
        .into_iter()
        .map(|(method, path, _)| (method.to_owned(), path))
        .collect();
    let unknown: Vec<_> = there.difference(&known).collect();
    assert!(unknown.is_empty(), "nobody says who may ask for {unknown:?}");
    let gone: Vec<_> = known.difference(&there).collect();
    assert!(gone.is_empty(), "there is no {gone:?}");
    assert_eq!(there.len(), ui::routes().len(), "a route is there twice");
}

/// What the map says is what was found out above.
#[test]
fn the_map_of_the_screens_says_the_same() {
    for (method, path, outcomes) in table() {
        let mut routes = ui::routes().into_iter();
        let route = routes
            .find(|route| route.method.as_str() == method && route.path == path)
            .expect("it is there");
        let expected = match outcomes {
            [SignIn, Refused, Refused, _] => Some(Role::Admin),
            [SignIn, Refused, ..] => Some(Role::Member),
            [SignIn, ..] => Some(Role::Viewer),
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
