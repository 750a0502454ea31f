//! Assembles the routers of dashboard and API, with the layers around them: request ids, spans, headers, panics and
//! timeouts.

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
    middleware,
    response::{IntoResponse, Response},
    routing::{Route, any_service, future::RouteFuture, get},
};
use futures_util::future::Either;
use tower::{Service, ServiceBuilder, layer::layer_fn};
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{PropagateRequestIdLayer, SetRequestIdLayer},
    services::ServeFile,
    set_header::SetResponseHeaderLayer,
    timeout::TimeoutLayer,
};
use tower_sessions::{
    Expiry, SessionManagerLayer,
    cookie::{SameSite, time::Duration as CookieDuration},
};

use super::{
    Config, assets,
    caller::{TrustedProxies, read_proxy_headers},
    headers::Headers,
    http::App,
    requests,
    site::SiteFolder,
};
use crate::{
    api::{self, Api, Problem},
    auth::{cookie_name, session::Sessions},
    domain::Clock,
    store::Store,
    ui::{self, Ui},
};

/// Maximum size of a form. A webhook with every field at its limit needs a tenth of it.
const MAX_FORM: usize = 64 * 1024;

/// Timeout of a request other than a test event. The slowest one is a commit on a busy disk.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Returns the timeout of all requests, which is long enough for a test event.
fn request_timeout(config: &Config) -> Duration {
    REQUEST_TIMEOUT.max(config.delivery_timeout + Duration::from_secs(5))
}

/// Status that the timeout layer passes to the outer layer. No handler returns it.
const TIMED_OUT: StatusCode = StatusCode::GATEWAY_TIMEOUT;

/// The only page below `/api`.
const DOCS: &str = "/api/docs";

/// Lifetime of an unused session, in days.
const SESSION_DAYS: i64 = 7;

/// Assembles the service for dashboard and API.
pub(super) fn assemble(
    ui: Ui,
    api: Api,
    site: &SiteFolder,
    store: &Arc<Store>,
    clock: &Arc<dyn Clock>,
    config: &Config,
) -> impl App {
    let dashboard = ui::router(ui)
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(sessions(store, clock, config));
    let site_router = Router::new()
        .route(DOCS, any_service(dashboard.clone()))
        .nest_service("/pkg", assets::router(site, store))
        .merge(public_files(site))
        // The dashboard also renders the page for unknown paths.
        .fallback_service(dashboard);
    let headers = Headers::new(config.is_https());
    let timeout = request_timeout(config);
    let publish = api::publish(api.clone());
    let publish = with_layers(publish, headers.clone(), &API_ERRORS, timeout, Some(api::PUBLISH));
    let pages = layered(
        site_router.merge(health(store)),
        headers.clone(),
        &PAGE_ERRORS,
        timeout,
    );
    let mut router = pages.merge(layered(api::router(api), headers, &API_ERRORS, timeout));
    if !config.trusted_proxies.is_empty() {
        let proxies = TrustedProxies::new(&config.trusted_proxies);
        router = router.layer(middleware::from_fn_with_state(proxies, read_proxy_headers));
    }
    Shortcut(Arc::new((publish, router)))
}

/// Calls the handler of the hot path directly, and passes all other requests to the router.
///
/// Routing and the boxed service of each route cost about as much as publishing an event. The hot path needs neither
/// path parameters nor the client's address.
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

/// Returns the router of a worker: only health checks.
pub(super) fn worker(store: &Arc<Store>, config: &Config) -> Router {
    layered(
        health(store),
        Headers::new(config.is_https()),
        &PAGE_ERRORS,
        REQUEST_TIMEOUT,
    )
}

/// Adds the layers to the router of `/metrics`.
pub(super) fn metrics(exposition: Router) -> Router {
    layered(exposition, Headers::new(false), &PAGE_ERRORS, REQUEST_TIMEOUT)
}

fn health(store: &Arc<Store>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready).with_state(Arc::clone(store)))
}

/// Responses for requests that panicked or timed out.
struct ErrorResponses {
    panicked: fn(Box<dyn Any + Send>) -> Response,
    timed_out: fn() -> Response,
}

const PAGE_ERRORS: ErrorResponses = ErrorResponses {
    panicked: page_panicked,
    timed_out: page_timed_out,
};

const API_ERRORS: ErrorResponses = ErrorResponses {
    panicked: api_panicked,
    timed_out: || Problem::timed_out().into_response(),
};

fn layered(router: Router, headers: Headers, errors: &'static ErrorResponses, timeout: Duration) -> Router {
    // A single layer, because a router boxes and copies each request once per layer.
    router.layer(layer_fn(move |route: Route| {
        with_layers(route, headers.clone(), errors, timeout, None)
    }))
}

/// Adds the layers that every response passes. `route` is the path pattern for traces if there is no router.
fn with_layers<S: App>(
    service: S,
    headers: Headers,
    errors: &'static ErrorResponses,
    timeout: Duration,
    route: Option<&'static str>,
) -> impl App {
    // Outermost first.
    ServiceBuilder::new()
        .map_request(requests::remove_invalid_id)
        .map_response(IntoResponse::into_response)
        .layer(SetRequestIdLayer::x_request_id(requests::GenerateId))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(requests::SpansLayer { route })
        .map_response(move |response: Response<_>| headers.add_missing(response))
        .layer(CatchPanicLayer::custom(errors.panicked))
        .map_response(|response: Response| match response.status() {
            TIMED_OUT => (errors.timed_out)(),
            _ => response,
        })
        .layer(TimeoutLayer::with_status_code(TIMED_OUT, timeout))
        .service(service)
}

fn sessions(store: &Arc<Store>, clock: &Arc<dyn Clock>, config: &Config) -> SessionManagerLayer<Sessions> {
    let secure = config.is_https();
    SessionManagerLayer::new(Sessions::new(Arc::clone(store), Arc::clone(clock)))
        .with_name(cookie_name("caleida", secure))
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_expiry(Expiry::OnInactivity(CookieDuration::days(SESSION_DAYS)))
}

/// Returns the router of the files in `public/`, such as the icon. Each has its own route, so that no other path
/// reaches the disk.
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

/// Responds with 200 if the database is reachable and migrated, for load balancers.
async fn ready(State(store): State<Arc<Store>>) -> Response {
    match store.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(error) => {
            tracing::warn!(%error, "readiness check failed");
            (StatusCode::SERVICE_UNAVAILABLE, "the database is not available\n").into_response()
        }
    }
}

fn page_panicked(payload: Box<dyn Any + Send>) -> Response {
    log_panic(payload);
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "An internal error occurred. It has been logged.\n",
    )
        .into_response()
}

fn page_timed_out() -> Response {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "The request took too long. Try again in a moment.\n",
    )
        .into_response()
}

fn api_panicked(payload: Box<dyn Any + Send>) -> Response {
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

    async fn panicking() -> &'static str {
        panic!("on purpose")
    }

    async fn send(router: Router, errors: &'static ErrorResponses) -> Response {
        layered(router, Headers::new(true), errors, REQUEST_TIMEOUT)
            .call(Request::new(Body::empty()))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn panic_is_a_500_with_default_headers() {
        for errors in [&PAGE_ERRORS, &API_ERRORS] {
            let response = send(Router::new().route("/", get(panicking)), errors).await;
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
    async fn timeout_is_a_503_with_an_explanation() {
        for (errors, kind) in [
            (&PAGE_ERRORS, "text/plain"),
            (&API_ERRORS, "application/problem+json"),
        ] {
            let hanging = get(std::future::pending::<()>);
            let response = send(Router::new().route("/", hanging), errors).await;
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            let content_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
            assert!(content_type.starts_with(kind), "{content_type}");
            let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
            assert!(String::from_utf8_lossy(&body).contains("took too long"));
        }
    }
}
