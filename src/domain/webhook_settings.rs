//! The settings of a webhook: what a save replaces.
//!
//! A new setting is a [`Field`], a field of [`WebhookSettings`] or [`WebhookOptions`], and a field of
//! [`WebhookDraft`](super::WebhookDraft).

use serde::Serialize;

use super::{
    EndpointUrl, EventTypes, WebhookName,
    custom_header::HeaderNames,
    delivery_settings::{Description, RateLimit, Retries, TimeoutSeconds},
    filter::Filter,
};

/// Settings that a save replaces together. Secrets and the values of headers are kept separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    pub url: EndpointUrl,
    pub name: WebhookName,
    pub events: EventTypes,
    pub options: WebhookOptions,
}

/// Optional settings. Serialized as in the API.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WebhookOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Names of the headers that every request has. Their values are secrets.
    #[serde(skip_serializing_if = "HeaderNames::is_empty")]
    pub headers: HeaderNames,
    /// Only events that match are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Timeout of an attempt. `None` is that of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<TimeoutSeconds>,
    pub retries: Retries,
}
