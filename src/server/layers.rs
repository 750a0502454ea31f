//! One router from the parts, and the layers around it.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{any_service, get},
};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{PropagateRequestIdLayer, SetRequestIdLayer},
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};
use tower_sessions::{
    Expiry, SessionManagerLayer,
    cookie::{SameSite, time::Duration as CookieDuration},
};

use super::{Config, caller, headers::Headers, requests, site::SiteFolder};
use crate::{
    api::Problem,
    auth::session::Sessions,
    domain::Clock,
    store::Store,
    ui::{self, Ui},
};

/// The largest form: a webhook with every field at its limit is a tenth of it.
const FORM_LIMIT: usize = 64 * 1024;

/// Nobody waits longer for an answer, except for a test of a receiver that may take its time; the slowest other thing we
/// do is a commit on a busy disk.
const PATIENCE: Duration = Duration::from_secs(30);

fn patience(config: &Config) -> Duration {
    PATIENCE.max(config.delivery_timeout + Duration::from_secs(5))
}

/// Stands between two layers for what took longer: nothing here answers it.
const LATE: StatusCode = StatusCode::GATEWAY_TIMEOUT;

/// The one page among the calls.
const DOCS: &str = "/api/docs";

/// For which a session lives without being used.
const SESSION_DAYS: i64 = 7;

pub(super) fn assemble(
    ui: Ui,
    api: Router,
    site: &SiteFolder,
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
    config: &Config,
) -> Router {
    let people = ui::router(ui)
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(sessions(store, clock, config));
    let everything = Router::new()
        .route(DOCS, any_service(people.clone()))
        .nest_service("/pkg", assets(site))
        .merge(public_files(site))
        // Whatever else is a page, if only “not found”.
        .fallback_service(people);
    let headers = Headers::new(config.is_https());
    let patience = patience(config);
    let pages = wrapped(everything.merge(health(store)), headers.clone(), &PAGES, patience);
    let router = pages.merge(wrapped(api, headers, &CALLS, patience));
    if config.trusted_proxies.is_empty() {
        return router;
    }
    let trusted = Arc::clone(&config.trusted_proxies);
    router.layer(middleware::from_fn_with_state(trusted, caller::find))
}

/// All that a process serves that only delivers.
pub(super) fn health_alone(store: &Arc<Store>, config: &Config) -> Router {
    wrapped(health(store), Headers::new(config.is_https()), &PAGES, PATIENCE)
}

fn health(store: &Arc<Store>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(Arc::clone(store)))
}

/// What is answered when nothing else can be.
struct Failures {
    panicked: fn(Box<dyn Any + Send>) -> Response,
    late: fn() -> Response,
}

const PAGES: Failures = Failures {
    panicked: page_panicked,
    late: page_late,
};

const CALLS: Failures = Failures {
    panicked: call_panicked,
    late: || Problem::late().into_response(),
};

fn wrapped(router: Router, headers: Headers, failures: &'static Failures, patience: Duration) -> Router {
    // One service around each route: every layer that a router is given by itself costs each request a box and a copy.
    // Outermost first.
    let around = ServiceBuilder::new()
        .map_request(requests::remove_invalid_id)
        .layer(SetRequestIdLayer::x_request_id(requests::NewId))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(requests::SpansLayer)
        .map_response(move |response: Response<_>| headers.complete(response))
        .layer(CatchPanicLayer::custom(failures.panicked))
        .map_response(|response: Response| match response.status() {
            LATE => (failures.late)(),
            _ => response,
        })
        .layer(TimeoutLayer::with_status_code(LATE, patience));
    router.layer(around)
}

fn sessions(store: &Arc<Store>, clock: &Arc<dyn Clock>, config: &Config) -> SessionManagerLayer<Sessions> {
    let secure = config.is_https();
    SessionManagerLayer::new(Sessions::new(Arc::clone(store), Arc::clone(clock)))
        // The prefix makes browsers refuse the cookie from any other host, or without https.
        .with_name(if secure { "__Host-caleida" } else { "caleida" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(CookieDuration::days(SESSION_DAYS)))
}

/// Files whose name changes whenever their content does, compressed when they were built.
fn assets(site: &SiteFolder) -> Router {
    let files = ServeDir::new(site.root.join("pkg"))
        .precompressed_br()
        .precompressed_gzip();
    Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(cache_forever))
}

/// The few files of `public/`, such as the icon. Each is a route of its own, so that no other path reaches the disk.
fn public_files(site: &SiteFolder) -> Router {
    let files = site
        .public_files()
        .into_iter()
        .fold(Router::new(), |router, name| {
            let file = ServeFile::new(site.root.join(&name))
                .precompressed_br()
                .precompressed_gzip();
            router.route_service(&format!("/{name}"), file)
        });
    files.layer(SetResponseHeaderLayer::if_not_present(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=3600"),
    ))
}

async fn cache_forever(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
    }
    response
}

/// 200 when the database answers and is migrated, so that a balancer sends requests here.
async fn ready(State(store): State<Arc<Store>>) -> Response {
    match store.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database is not available\n").into_response()
        }
    }
}

/// One request's panic is that request's 500, and a line in the log.
fn page_panicked(payload: Box<dyn Any + Send>) -> Response {
    log_panic(payload);
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong here. It has been logged.\n",
    )
        .into_response()
}

fn page_late() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "This took too long and was given up. Try again in a moment.\n",
    )
        .into_response()
}

fn call_panicked(payload: Box<dyn Any + Send>) -> Response {
    log_panic(payload);
    Problem::internal().into_response()
}

fn log_panic(payload: Box<dyn Any + Send>) {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(|s| &**s));
    tracing::error!(message, "a request panicked");
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::Service;

    use super::*;

    async fn broken() -> &'static str {
        panic!("on purpose")
    }

    async fn ask(router: Router, failures: &'static Failures) -> Response {
        wrapped(router, Headers::new(true), failures, PATIENCE)
            .call(Request::new(Body::empty()))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_a_500_with_every_header() {
        for failures in [&PAGES, &CALLS] {
            let response = ask(Router::new().route("/", get(broken)), failures).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            for name in [
                "x-request-id",
                "x-frame-options",
                "content-security-policy",
                "permissions-policy",
                "strict-transport-security",
            ] {
                assert!(response.headers().contains_key(name), "{name}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_a_503_that_says_so() {
        for (failures, kind) in [(&PAGES, "text/plain"), (&CALLS, "application/problem+json")] {
            let hanging = get(std::future::pending::<()>);
            let response = ask(Router::new().route("/", hanging), failures).await;
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let content_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
            assert!(content_type.starts_with(kind), "{content_type}");
            let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
            assert!(String::from_utf8_lossy(&body).contains("took too long"));
        }
    }
}
