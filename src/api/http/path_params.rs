//! The parameters in a path.

use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

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
