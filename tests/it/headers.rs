//! Response headers of every route: pages, server functions, the API, files, and errors.

use caleida::ui;
use reqwest::{Method, Response, StatusCode, header};
use serde_json::json;

use crate::support::{
    app::{ADMIN, Options, TestApp},
    receiver::Receiver,
};

/// Routes that belong neither to the dashboard nor to the OpenAPI document.
const OTHER_ROUTES: [(&str, &str); 8] = [
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/pkg/caleida.css"),
    ("GET", "/pkg/nonsense.js"),
    ("GET", "/nonsense"),
    ("GET", "/api/v1/nonsense"),
    ("DELETE", "/api/v1/events"),
    ("DELETE", "/integrations/webhook/{id}"),
];

/// Returns all routes. Routes that delete something or sign out come last.
async fn routes(app: &TestApp) -> Vec<(Method, String)> {
    let others = OTHER_ROUTES.map(|(method, path)| (method.parse().unwrap(), path.to_owned()));
    let dashboard = ui::routes();
    let dashboard = dashboard
        .iter()
        .map(|route| (route.method.clone(), route.path.to_owned()));
    let document = app.get("/api/v1/openapi.json").await;
    let calls = document["paths"].as_object().unwrap().iter();
    let calls = calls.flat_map(|(path, calls)| {
        let methods = calls.as_object().unwrap().keys();
        methods.map(|method| (method.to_uppercase().parse().unwrap(), path.clone()))
    });
    let mut routes: Vec<_> = others.into_iter().chain(dashboard).chain(calls).collect();
    routes.sort_by_key(|(method, path): &(Method, String)| {
        method == Method::DELETE || path.ends_with("/delete") || path.ends_with("/logout")
    });
    routes
}

/// Returns whether a page must not be stored by browsers: dialogs, and pages without a session.
fn is_never_stored(path: &str, status: StatusCode) -> bool {
    let is_found = status != StatusCode::NOT_FOUND && status != StatusCode::METHOD_NOT_ALLOWED;
    let is_dialog = match path.strip_prefix("/integrations/webhook/") {
        Some(rest) => {
            let mut parts = rest.split('/');
            let is_webhook = parts
                .next()
                .is_some_and(|id| id == "new" || id.starts_with("wh_"));
            is_webhook && matches!(parts.next(), None | Some("delete" | "test"))
        }
        None => path.starts_with("/settings/api-keys/"),
    };
    // `/api/docs` is requested without a session here.
    let is_public = ["/login", "/api/docs"].contains(&path) || path.starts_with("/invite/");
    (is_dialog && is_found) || is_public
}

/// Asserts all security headers except HSTS, which depends on the public URL.
fn assert_security_headers(response: &Response, route: &str) {
    let header = |name: &str| {
        let value = response.headers().get(name);
        value
            .unwrap_or_else(|| panic!("{route}: no {name}"))
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(header("x-content-type-options"), "nosniff", "{route}");
    assert_eq!(header("x-frame-options"), "DENY", "{route}");
    assert_eq!(header("referrer-policy"), "same-origin", "{route}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{route}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{route}");
    assert!(header("permissions-policy").contains("camera=()"), "{route}");
    assert!(!header("x-request-id").is_empty(), "{route}");
    let policy = header("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{route}: {policy}");
    }
    for unsafe_source in ["unsafe-inline", "'unsafe-eval'", "*", "http:"] {
        assert!(!policy.contains(unsafe_source), "{route}: {policy}");
    }
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.to_str().unwrap().starts_with("text/html"));
    assert_eq!(
        policy.contains("script-src 'self' 'nonce-"),
        is_page,
        "{route}: {policy}"
    );
    let path = response.url().path();
    let expected = match path {
        "/pkg/caleida.css" => "public, max-age=31536000, immutable",
        // Live updates are server-sent events.
        _ if path.ends_with("/live") && !is_page => "no-cache",
        // The same for all clients.
        "/api/v1/openapi.json" => "public, max-age=3600",
        // Browsers may store the page but revalidate it.
        _ if is_page && !is_never_stored(path, response.status()) => "private, no-cache",
        _ => "no-store",
    };
    assert_eq!(header("cache-control"), expected, "{route}");
}

async fn check_all_routes(app: &TestApp, is_https: bool) {
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
        // All other parameters name nothing that exists.
        let path = path.replace("{id}", &known).replace(['{', '}'], "");
        let request = if path.starts_with("/api/") {
            app.call(method.clone(), &path)
        } else {
            app.anonymous(method.clone(), &path)
                .header(header::COOKIE, &cookie)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        };
        let response = request.send().await.unwrap();
        let route = format!("{method} {path}: {}", response.status());
        assert_ne!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{route}");
        assert_security_headers(&response, &route);
        let strict = response.headers().get(header::STRICT_TRANSPORT_SECURITY);
        assert_eq!(strict.is_some(), is_https, "{route}");
    }
}

#[tokio::test]
async fn every_route_has_security_headers_over_http() {
    check_all_routes(&TestApp::start().await, false).await;
}

#[tokio::test]
async fn every_route_sends_hsts_over_https() {
    let app = TestApp::start_with(Options {
        arguments: vec!["--public-url=https://hooks.example.com".to_owned()],
        ..Options::default()
    })
    .await;
    check_all_routes(&app, true).await;
}

#[tokio::test]
async fn error_responses_have_security_headers() {
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
        assert_security_headers(&response, response.url().as_str());
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
        let response = app.get_url(&format!("http://{address}{path}")).await;
        assert_security_headers(&response, path);
    }
}

#[tokio::test]
async fn valid_request_id_is_kept_and_invalid_id_replaced() {
    let app = TestApp::start().await;
    // Publishing bypasses the router.
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
