//! What every answer tells browsers: pages, parts of them, the API, files, and everything that goes wrong.

use caleida::ui;
use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::support::{
    app::{ADMIN, Options, TestApp},
    receiver::Receiver,
};

/// What is neither a screen nor a call.
const OTHERS: [(&str, &str); 8] = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/pkg/caleida.css"),
    ("GET", "/pkg/nonsense.js"),
    ("GET", "/nonsense"),
    ("GET", "/api/v1/nonsense"),
    ("DELETE", "/api/v1/events"),
    ("DELETE", "/integrations/webhook/{id}"),
];

/// Each route of the dashboard, each call that the API describes, and the others; last those that end what they need.
async fn routes(app: &TestApp) -> Vec<(Method, String)> {
    let others = OTHERS.map(|(method, path)| (method.parse().unwrap(), path.to_owned()));
    let screens = ui::routes();
    let screens = screens
        .iter()
        .map(|route| (route.method.clone(), route.path.to_owned()));
    let document = app.get("/api/v1/openapi.json").await;
    let calls = document["paths"].as_object().unwrap().iter();
    let calls = calls.flat_map(|(path, calls)| {
        let methods = calls.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase().parse().unwrap(), path.clone()))
    });
    let mut routes: Vec<_> = others.into_iter().chain(screens).chain(calls).collect();
    routes.sort_by_key(|(method, path): &(Method, String)| {
        method == Method::DELETE || path.ends_with("/delete") || path.ends_with("/logout")
    });
    routes
}

/// Dialogs and pages of people who are not signed in: what is typed there or shown there is not kept anywhere.
fn is_never_kept(path: &str, status: StatusCode) -> bool {
    let is_found = status != StatusCode::NOT_FOUND && status != StatusCode::METHOD_NOT_ALLOWED;
    let is_dialog = match path.strip_prefix("/integrations/webhook/") {
        Some(rest) => {
            let mut parts = rest.split('/');
            let of_webhook = parts
                .next()
                .is_some_and(|id| id == "new" || id.starts_with("wh_"));
            of_webhook && matches!(parts.next(), None | Some("delete" | "test"))
        }
        None => path.starts_with("/settings/api-keys/"),
    };
    // The description of the API is asked for without a session here.
    let is_bare = ["/login", "/api/docs"].contains(&path) || path.starts_with("/invite/");
    (is_dialog && is_found) || is_bare
}

/// Everything but HSTS, which depends on how browsers come here.
fn assert_safe(response: &Response, what: &str) {
    let header = |name: &str| {
        let value = response.headers().get(name);
        value
            .unwrap_or_else(|| panic!("{what}: no {name}"))
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("x-frame-options"), "DENY", "{what}");
    assert_eq!(header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{what}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
    assert!(header("permissions-policy").contains("camera=()"), "{what}");
    assert!(!header("x-request-id").is_empty(), "{what}");
    let policy = header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    for hole in ["unsafe-inline", "'unsafe-eval'", "*", "http:"] {
        assert!(!policy.contains(hole), "{what}: {policy}");
    }
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
    assert_eq!(
        policy.contains("script-src 'self' 'nonce-"),
        is_page,
        "{what}: {policy}"
    );
    let path = response.url().path();
    let expected = match path {
        "/pkg/caleida.css" => "public, max-age=31536000, immutable",
        // A stream, whose events are never an answer to keep.
        _ if path.ends_with("/live") && !is_page => "no-cache",
        // The same for everybody.
        "/api/v1/openapi.json" => "public, max-age=3600",
        // In the history of the browser, which asks again before it shows the page.
        _ if is_page && !is_never_kept(path, response.status()) => "private, no-cache",
        _ => "no-store",
    };
    assert_eq!(header("cache-control"), expected, "{what}");
}

async fn walk(app: &TestApp, is_https: bool) {
    let receiver = Receiver::start().await;
    let webhook = app.add_webhook("orders", &receiver.url("/"), &["chat"]).await;
    let event = app.publish("chat").await;
    let delivery = app.wait_for("delivered", 1).await.remove(0);
    let id = |value: &serde_json::Value| value["id"].as_str().unwrap().to_owned();
    let cookie = app.signed_in(ADMIN).await.cookie.unwrap();
    let routes = routes(app).await;
    assert!(routes.len() > 100, "{routes:?}");
    for (method, path) in routes {
        let known = match path.as_str() {
            _ if path.contains("/deliveries/{id}") => id(&delivery),
            _ if path.contains("/events/{id}") => id(&event),
            _ if path.contains("/webhook/{id}") || path.contains("/webhooks/{id}") => id(&webhook),
            _ => "unknown".to_owned(),
        };
        // What else is named in a path does not exist.
        let path = path.replace("{id}", &known).replace(['{', '}'], "");
        let request = if path.starts_with("/api/") {
            app.call(method.clone(), &path)
        } else {
            app.anonymous(method.clone(), &path)
                .header(header::COOKIE, &cookie)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        };
        let response = request.send().await.unwrap();
        let what = format!("{method} {path}: {}", response.status());
        assert_ne!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{what}");
        assert_safe(&response, &what);
        let strict = response.headers().get(header::STRICT_TRANSPORT_SECURITY);
        assert_eq!(strict.is_some(), is_https, "{what}");
    }
}

#[tokio::test]
async fn every_route_answers_safely_over_http() {
    walk(&TestApp::start().await, false).await;
}

#[tokio::test]
async fn behind_https_every_route_says_that_it_stays_so() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--public-url=https://hooks.example.com".to_owned()],
        ..Options::default()
    })
    .await;
    walk(&app, true).await;
}

#[tokio::test]
async fn what_goes_wrong_answers_as_safely() {
    let app = TestApp::start().await;
    let large = "x".repeat(400 * 1024);
    let api = "/api/v1/events";
    let body = json!({ "type": "nonsense", "data": {} });
    for (request, expected) in [
        (app.anonymous(Method::GET, api), StatusCode::UNAUTHORIZED),
        (app.call(Method::PUT, api), StatusCode::METHOD_NOT_ALLOWED),
        (app.call(Method::POST, api).body("{"), StatusCode::BAD_REQUEST),
        (
            app.call(Method::POST, api).body(large.clone()),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            app.call(Method::POST, api).body(body.to_string()),
            StatusCode::UNPROCESSABLE_ENTITY,
        ),
        (
            app.anonymous(Method::GET, "/integrations/webhook"),
            StatusCode::SEE_OTHER,
        ),
        (
            app.anonymous(Method::PUT, "/login"),
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            app.anonymous(Method::POST, "/login")
                .header("sec-fetch-site", "cross-site"),
            StatusCode::FORBIDDEN,
        ),
        (
            app.anonymous(Method::POST, "/login")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(format!("email={large}")),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), expected, "{}", response.url());
        assert_safe(&response, response.url().as_str());
    }
}

#[tokio::test]
async fn metrics_have_security_headers() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--metrics-listen=127.0.0.1:0".to_owned()],
        ..Options::default()
    })
    .await;
    let address = app.server().metrics.unwrap();
    for path in ["/metrics", "/unknown"] {
        let response = app.plain(&format!("http://{address}{path}")).await;
        assert_safe(&response, path);
    }
}

#[tokio::test]
async fn a_request_keeps_its_valid_id() {
    let app = TestApp::start().await;
    // The second does not pass the router.
    for (method, path) in [(Method::GET, "/healthz"), (Method::POST, "/api/v1/events")] {
        let returned = async |id: &'static [u8]| {
            let id = header::HeaderValue::from_bytes(id).unwrap();
            let request = app.anonymous(method.clone(), path).header("x-request-id", id);
            request.send().await.unwrap().headers()["x-request-id"].clone()
        };
        assert_eq!(returned(b"order-17.a_b").await, "order-17.a_b", "{path}");
        for forged in [
            b"a b".as_slice(),
            b"\" level=ERROR msg=\"forged",
            b"\xc2\x9b31m",
            b"<script>",
            &[b'a'; 65],
        ] {
            let id = returned(forged).await;
            assert_ne!(id.as_bytes(), forged, "{path}");
            assert_eq!(id.len(), 36, "{path}: a UUID");
        }
    }
}
