//! The parameters in a path.

use axum::{
    extract::{self, FromRequestParts},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::Problem;
use crate::domain::{DeliveryId, EventId, RecoveryId, WebhookId};

/// The parameters in the path of a call.
pub(crate) trait PathParams: DeserializeOwned + Send {
    /// Said of an id that is unknown, another account's, or none at all: nobody can tell which.
    const UNKNOWN: &'static str;
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct WebhookPath {
    /// The webhook’s id.
    pub(crate) id: WebhookId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct RecoveryPath {
    /// The webhook’s id.
    pub(crate) id: WebhookId,
    /// The recovery’s id.
    pub(crate) recovery: RecoveryId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct EventPath {
    /// The event’s id: the publisher’s own, or the one that it was given.
    pub(crate) id: EventId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DeliveryPath {
    /// The delivery’s id.
    pub(crate) id: DeliveryId,
}

impl PathParams for WebhookPath {
    const UNKNOWN: &'static str = "There is no such webhook.";
}

impl PathParams for RecoveryPath {
    const UNKNOWN: &'static str = "There is no such recovery.";
}

impl PathParams for EventPath {
    const UNKNOWN: &'static str = "There is no such event.";
}

impl PathParams for DeliveryPath {
    const UNKNOWN: &'static str = "There is no such delivery.";
}

/// 404 for `P`.
pub(crate) fn unknown<P: PathParams>() -> Problem {
    Problem::not_found(P::UNKNOWN)
}

/// The path of a call, parsed.
pub(crate) struct Path<P>(pub(crate) P);

impl<S: Send + Sync, P: PathParams> FromRequestParts<S> for Path<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = extract::Path::from_request_parts(parts, state).await;
        let extract::Path(params) = path.map_err(|_| unknown::<P>())?;
        Ok(Self(params))
    }
}
