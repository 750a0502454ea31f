//! Path parameters of the endpoints.

use serde::{Deserialize, de::DeserializeOwned};
use utoipa::IntoParams;

use crate::domain::{DeliveryId, EventId, RecoveryId, WebhookId};

/// Path parameters of an endpoint.
pub(crate) trait PathParams: DeserializeOwned + Send {
    /// Message for an id that is unknown, malformed or of another account. Clients cannot distinguish these cases.
    const UNKNOWN: &'static str;
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct WebhookPath {
    /// Webhook id.
    pub(crate) id: WebhookId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct RecoveryPath {
    /// Webhook id.
    pub(crate) id: WebhookId,
    /// Recovery id.
    pub(crate) recovery: RecoveryId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct EventPath {
    /// Event id: chosen by the publisher, or generated.
    pub(crate) id: EventId,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct DeliveryPath {
    /// Delivery id.
    pub(crate) id: DeliveryId,
}

impl PathParams for WebhookPath {
    const UNKNOWN: &'static str = "Webhook not found.";
}

impl PathParams for RecoveryPath {
    const UNKNOWN: &'static str = "Recovery not found.";
}

impl PathParams for EventPath {
    const UNKNOWN: &'static str = "Event not found.";
}

impl PathParams for DeliveryPath {
    const UNKNOWN: &'static str = "Delivery not found.";
}
