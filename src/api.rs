//! `/api/v1`, for machines: JSON in, JSON out, errors as RFC 9457 problems. One file or folder per noun; `http` is what
//! they share.
//!
//! A call and its description are one: `calls` takes handlers by `routes!`, which takes none without an OpenAPI
//! operation, and the schemas are those of the very types that are read and sent.

mod audit_log;
mod deliveries;
mod event_types;
/// Publishing, and what was published.
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

/// What the handlers work with. Cheap to clone.
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

/// The calls' nouns, by which the description groups them.
const EVENTS: &str = "Events";
const WEBHOOKS: &str = "Webhooks";
const RECOVERIES: &str = "Recoveries";
const DELIVERIES: &str = "Deliveries";
const AUDIT_LOG: &str = "Audit log";
const DESCRIPTION: &str = "Description";

/// Path of the hot call: `POST` publishes an event.
pub const PUBLISH: &str = "/api/v1/events";

/// The handler of the hot call, without a router.
pub fn publish(
    api: Api,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
    events::publish::publish.with_state(api)
}

pub fn router(api: Api) -> Router {
    let (v1, _) = calls().split_for_parts();
    let v1 = v1
        .fallback(unknown_call)
        .method_not_allowed_fallback(other_method);
    Router::new()
        .nest("/api/v1", v1)
        .route("/api/{*rest}", any(unknown_call))
        .with_state(api)
}

/// Every call, with its description.
fn calls() -> OpenApiRouter<Api> {
    // The description takes no key.
    let description = OpenApiRouter::default().routes(routes!(openapi::show));
    publishing().merge(managing()).merge(description)
}

/// The one hot path: nothing stands around it.
fn publishing() -> OpenApiRouter<Api> {
    let mut calls = OpenApiRouter::default()
        .routes(routes!(events::publish::publish))
        .routes(routes!(events::publish::publish_batch));
    limits::describe(calls.get_openapi_mut(), &limits::EVENTS);
    calls
}

fn managing() -> OpenApiRouter<Api> {
    let mut calls = OpenApiRouter::default()
        // What happened.
        .routes(routes!(events::list::list))
        .routes(routes!(events::list::show))
        .routes(routes!(event_types::list))
        // Who wants to know.
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::show, webhooks::update, webhooks::delete))
        .routes(routes!(webhooks::secrets::show))
        .routes(routes!(webhooks::secrets::rotate))
        .routes(routes!(webhooks::state::pause))
        .routes(routes!(webhooks::state::resume))
        .routes(routes!(webhooks::test_events::send))
        .routes(routes!(webhooks::statistics::show))
        .routes(routes!(webhooks::url_advice::judge))
        .routes(routes!(
            webhooks::recoveries::preview,
            webhooks::recoveries::start
        ))
        .routes(routes!(webhooks::recoveries::list))
        .routes(routes!(webhooks::recoveries::show))
        .routes(routes!(webhooks::recoveries::cancel))
        // What became of it.
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::resend))
        // Who did it.
        .routes(routes!(audit_log::list))
        .route_layer(middleware::from_fn(limits::tell));
    limits::describe(calls.get_openapi_mut(), &limits::CALLS);
    calls
}

async fn unknown_call() -> Problem {
    Problem::not_found("Unknown endpoint. See /api/docs.")
}

/// What a path takes instead is in `Allow`, which axum adds; asking for just that is no mistake.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Problem::method_not_allowed().into_response()
    }
}
