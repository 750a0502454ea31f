//! The ids in a path.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use super::Problem;
use crate::domain::{DeliveryId, EventId, RecoveryId, WebhookId};

/// What a path names.
pub(super) trait Place: DeserializeOwned + Send {
    /// Said of an id that is unknown, another account's, or none at all: nobody can tell which.
    const UNKNOWN: &'static str;
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfWebhook {
    /// The webhook’s id.
    pub(super) id: WebhookId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfRecovery {
    /// The webhook’s id.
    pub(super) id: WebhookId,
    /// The recovery’s id.
    pub(super) recovery: RecoveryId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfEvent {
    /// The event’s id: the publisher’s own, or the one that it was given.
    pub(super) id: EventId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OfDelivery {
    /// The delivery’s id.
    pub(super) id: DeliveryId,
}

impl Place for OfWebhook {
    const UNKNOWN: &'static str = "There is no such webhook.";
}

impl Place for OfRecovery {
    const UNKNOWN: &'static str = "There is no such recovery.";
}

impl Place for OfEvent {
    const UNKNOWN: &'static str = "There is no such event.";
}

impl Place for OfDelivery {
    const UNKNOWN: &'static str = "There is no such delivery.";
}

/// 404 for `P`.
pub(super) fn unknown<P: Place>() -> Problem {
    Problem::not_found(P::UNKNOWN)
}

/// The path of a call, parsed.
pub(super) struct At<P>(pub(super) P);

impl<S: Send + Sync, P: Place> FromRequestParts<S> for At<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        let Path(place) = path.map_err(|_| unknown::<P>())?;
        Ok(Self(place))
    }
}
