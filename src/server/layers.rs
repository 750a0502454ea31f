//! One router from the parts, and the layers around it.

use std::{
    any::Any,
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{Route, any_service, future::RouteFuture, get},
};
use futures_util::future::Either;
use tower::{Service, ServiceBuilder, layer::layer_fn};
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

use super::{Config, caller, headers::Headers, http::App, requests, site::SiteFolder};
use crate::{
    api::{self, Api, Problem},
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
    api: Api,
    site: &SiteFolder,
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
    config: &Config,
) -> impl App {
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
    let publish = api::publish(api.clone());
    let publish = around(publish, headers.clone(), &CALLS, patience, Some(api::PUBLISH));
    let pages = wrapped(everything.merge(health(store)), headers.clone(), &PAGES, patience);
    let mut router = pages.merge(wrapped(api::router(api), headers, &CALLS, patience));
    if !config.trusted_proxies.is_empty() {
        let trusted = Arc::clone(&config.trusted_proxies);
        router = router.layer(middleware::from_fn_with_state(trusted, caller::find));
    }
    Shortcut(Arc::new((publish, router)))
}

/// Calls the handler of the hot path directly, and passes everything else to the router.
///
/// The router's search for a route and the boxes around each route cost about as much as publishing an event. The hot
/// path needs nothing from the router: neither parameters of the path nor the client's address.
struct Shortcut<P>(Arc<(P, Router)>);

impl<P> Clone for Shortcut<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: App> Service<Request> for Shortcut<P> {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<P::Future, RouteFuture<Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (publish, router) = &*self.0;
        if request.method() == Method::POST && request.uri().path() == api::PUBLISH {
            Either::Left(publish.clone().call(request))
        } else {
            Either::Right(router.clone().call(request))
        }
    }
}

/// All that a process serves that only delivers.
pub(super) fn health_alone(store: &Arc<Store>, config: &Config) -> Router {
    wrapped(health(store), Headers::new(config.is_https()), &PAGES, PATIENCE)
}

/// `/metrics`, with the layers of everything else.
pub(super) fn metrics(exposition: Router) -> Router {
    wrapped(exposition, Headers::new(false), &PAGES, PATIENCE)
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
    late: || Problem::timed_out().into_response(),
};

fn wrapped(router: Router, headers: Headers, failures: &'static Failures, patience: Duration) -> Router {
    // One layer for all of them: a router boxes and copies each request for every layer that it has.
    router.layer(layer_fn(move |route: Route| {
        around(route, headers.clone(), failures, patience, None)
    }))
}

/// Adds the layers that every response passes. `route` is the pattern of the path, for traces, if no router finds it.
fn around<S: App>(
    service: S,
    headers: Headers,
    failures: &'static Failures,
    patience: Duration,
    route: Option<&'static str>,
) -> impl App {
    // Outermost first.
    ServiceBuilder::new()
        .map_request(requests::remove_invalid_id)
        .map_response(IntoResponse::into_response)
        .layer(SetRequestIdLayer::x_request_id(requests::NewId))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(requests::SpansLayer { route })
        .map_response(move |response: Response<_>| headers.complete(response))
        .layer(CatchPanicLayer::custom(failures.panicked))
        .map_response(|response: Response| match response.status() {
            LATE => (failures.late)(),
            _ => response,
        })
        .layer(TimeoutLayer::with_status_code(LATE, patience))
        .service(service)
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
            tracing::warn!(%error, "readiness check failed");
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
    tracing::error!(message, "request handler panicked");
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

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
