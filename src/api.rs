//! `/api/v1`, for machines: JSON in, JSON out, errors as RFC 9457 problems. One file per noun.

mod body;
mod deliveries;
mod event_types;
mod events;
mod problem;
mod query;
mod received;
mod recoveries;
mod test_events;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{
    auth::Auth,
    delivery::intake::Intake,
    domain::{Clock, Origin},
    store::{ApiKey, Store},
    webhooks::{Actor, Webhooks},
};

pub use problem::Problem;

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    pub auth: Auth,
    pub store: Arc<dyn Store>,
    pub intake: Intake,
    pub webhooks: Webhooks,
    pub clock: Arc<dyn Clock>,
}

pub fn router(api: Api) -> Router {
    let v1 = Router::new()
        // What happened.
        .route("/events", get(received::list).post(events::publish))
        .route("/events/batch", post(events::publish_batch))
        .route("/events/{id}", get(received::show))
        .route("/event-types", get(event_types::list))
        // Who wants to know.
        .route("/webhooks", get(webhooks::list).post(webhooks::create))
        .route(
            "/webhooks/{id}",
            get(webhooks::show)
                .patch(webhooks::update)
                .delete(webhooks::delete),
        )
        .route("/webhooks/{id}/secret", get(webhooks::secret))
        .route("/webhooks/{id}/rotate-secret", post(webhooks::rotate_secret))
        .route("/webhooks/{id}/pause", post(webhooks::pause))
        .route("/webhooks/{id}/resume", post(webhooks::resume))
        .route("/webhooks/{id}/test", post(test_events::send))
        .route("/webhooks/{id}/recover", post(recoveries::start))
        .route("/webhooks/{id}/recoveries", get(recoveries::list))
        .route(
            "/webhooks/{id}/recoveries/{recovery}/cancel",
            post(recoveries::cancel),
        )
        // What became of it.
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}", get(deliveries::show))
        .route("/deliveries/{id}/resend", post(deliveries::resend))
        .fallback(|| async {
            Problem::not_found("There is no such call: see the list of calls in the documentation.")
        })
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() });
    Router::new().nest("/api/v1", v1).with_state(api)
}

/// The name under which a key's changes are written down.
fn actor(key: &ApiKey, origin: Origin) -> Actor {
    Actor::key(key.account_id.clone(), &key.name, origin)
}
