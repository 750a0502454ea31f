//! The HTTP API under `/api/v1`: JSON requests and responses, errors as RFC 9457 problems. One file or folder per
//! resource; `http` holds what they share.
//!
//! Endpoints cannot drift from their documentation: `routes!` accepts only handlers with an OpenAPI operation, and the
//! schemas are derived from the types that are parsed and serialized.

mod audit_log;
mod deliveries;
mod event_types;
mod events {
    pub(super) mod list;
    pub(super) mod publish;
}
mod http;
pub mod openapi;
mod webhooks;

use std::{convert::Infallible, sync::Arc};

use axum::{
    Router,
    extract::Request,
    handler::Handler as _,
    http::{Method, StatusCode},
    middleware,
    response::{IntoResponse, Response},
    routing::any,
};
use tower::Service;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{auth::Auth, delivery::intake::Intake, domain::Clock, store::Accounts, webhooks::Webhooks};

use http::limits;

pub use http::{Limits, Problem};
pub use openapi::Document;

/// State shared by all handlers. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub auth: Auth,
    pub accounts: Accounts,
    pub intake: Intake,
    pub webhooks: Webhooks,
    pub clock: Arc<dyn Clock>,
    pub limits: Arc<Limits>,
    pub document: Arc<Document>,
}

// OpenAPI tags.
const EVENTS: &str = "Events";
const WEBHOOKS: &str = "Webhooks";
const RECOVERIES: &str = "Recoveries";
const DELIVERIES: &str = "Deliveries";
const AUDIT_LOG: &str = "Audit log";
const DESCRIPTION: &str = "Description";

/// Path of the hot endpoint: `POST` publishes an event.
pub const PUBLISH: &str = "/api/v1/events";

/// Returns the handler of the hot endpoint as a service, without a router.
pub fn publish(
    api: Api,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
    events::publish::publish.with_state(api)
}

pub fn router(api: Api) -> Router {
    let (v1, _) = endpoints().split_for_parts();
    let v1 = v1
        .fallback(unknown_endpoint)
        .method_not_allowed_fallback(method_not_allowed);
    Router::new()
        .nest("/api/v1", v1)
        .route("/api/{*rest}", any(unknown_endpoint))
        .with_state(api)
}

/// All endpoints with their OpenAPI operations.
fn endpoints() -> OpenApiRouter<Api> {
    // Needs no API key.
    let description = OpenApiRouter::default().routes(routes!(openapi::show));
    publishing().merge(management()).merge(description)
}

/// Endpoints that publish events. They have no middleware, because this is the hot path.
fn publishing() -> OpenApiRouter<Api> {
    let mut endpoints = OpenApiRouter::default()
        .routes(routes!(events::publish::publish))
        .routes(routes!(events::publish::publish_batch));
    limits::document_headers(endpoints.get_openapi_mut(), &limits::EVENT_LIMIT);
    endpoints
}

fn management() -> OpenApiRouter<Api> {
    let mut endpoints = OpenApiRouter::default()
        .routes(routes!(events::list::list))
        .routes(routes!(events::list::show))
        .routes(routes!(event_types::list))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::show, webhooks::update, webhooks::delete))
        .routes(routes!(webhooks::secrets::show))
        .routes(routes!(webhooks::secrets::rotate))
        .routes(routes!(webhooks::state::pause))
        .routes(routes!(webhooks::state::resume))
        .routes(routes!(webhooks::test_events::send))
        .routes(routes!(webhooks::statistics::show))
        .routes(routes!(webhooks::url_advice::check))
        .routes(routes!(webhooks::preview_filter::preview))
        .routes(routes!(
            webhooks::recoveries::preview,
            webhooks::recoveries::start
        ))
        .routes(routes!(webhooks::recoveries::list))
        .routes(routes!(webhooks::recoveries::show))
        .routes(routes!(webhooks::recoveries::cancel))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::resend))
        .routes(routes!(audit_log::list))
        .route_layer(middleware::from_fn(limits::add_headers));
    limits::document_headers(endpoints.get_openapi_mut(), &limits::CALL_LIMIT);
    endpoints
}

async fn unknown_endpoint() -> Problem {
    Problem::not_found("Unknown endpoint. See /api/docs.")
}

/// Responds with 405, or with 204 to `OPTIONS`. axum adds the `Allow` header.
async fn method_not_allowed(method: Method) -> Response {
    if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Problem::method_not_allowed().into_response()
    }
}
