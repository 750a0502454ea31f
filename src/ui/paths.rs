//! The addresses of the screens: each is written once, for the router and for links.

use axum_extra::routing::TypedPath;
use serde::Deserialize;
use url::form_urlencoded;

use super::error::PageError;
use crate::domain::{ApiKeyId, DeliveryId, EventId, EventType, UserId, WebhookId};

pub const LOGIN: &str = "/login";
pub const LOGOUT: &str = "/logout";
pub const THEME: &str = "/theme";
pub const LIST: &str = "/integrations/webhook";
pub const NEW: &str = "/integrations/webhook/new";
pub const DELIVERIES: &str = "/integrations/webhook/deliveries";
pub const DELIVERIES_LIVE: &str = "/integrations/webhook/deliveries/live";
pub const EVENTS: &str = "/integrations/webhook/events";
pub const EVENT_TYPES: &str = "/integrations/webhook/event-types";
pub const GUIDE: &str = "/integrations/webhook/guide";
pub const ACCOUNT: &str = "/settings/account";
pub const API_KEYS: &str = "/settings/api-keys";
pub const API_KEY_NEW: &str = "/settings/api-keys/new";
pub const AUDIT_LOG: &str = "/settings/audit-log";
pub const AUDIT_EXPORT: &str = "/settings/audit-log/export";
pub const TIME_ZONE: &str = "/settings/time-zone";
pub const USERS: &str = "/settings/users";
pub const API_DOCS: &str = "/api/docs";
pub const API_DESCRIPTION: &str = "/api/v1/openapi.json";

/// Where they begin. What follows is a token, which opens something by itself.
pub const INVITES: &str = "/invite/";

/// The dialog “Edit Webhook”.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}", rejection(PageError))]
pub struct Webhook {
    pub id: WebhookId,
}

/// The dialog that confirms a deletion.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}/delete", rejection(PageError))]
pub struct WebhookDelete {
    pub id: WebhookId,
}

/// The dialog “Send test event”.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}/test", rejection(PageError))]
pub struct WebhookTest {
    pub id: WebhookId,
}

#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}/recover", rejection(PageError))]
pub struct WebhookRecover {
    pub id: WebhookId,
}

#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}/recover/live", rejection(PageError))]
pub struct WebhookRecoverLive {
    pub id: WebhookId,
}

/// The log of one webhook.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}/deliveries", rejection(PageError))]
pub struct WebhookDeliveries {
    pub id: WebhookId,
}

#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}/deliveries/live", rejection(PageError))]
pub struct WebhookDeliveriesLive {
    pub id: WebhookId,
}

#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/deliveries/{id}", rejection(PageError))]
pub struct Delivery {
    pub id: DeliveryId,
}

#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/events/{id}", rejection(PageError))]
pub struct Event {
    pub id: EventId,
}

/// From the catalog to the test of the webhook that was chosen there.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/event-types/{event_type}/test", rejection(PageError))]
pub struct EventTypeTest {
    pub event_type: EventType,
}

#[derive(TypedPath, Deserialize)]
#[typed_path("/settings/users/{id}", rejection(PageError))]
pub struct User {
    pub id: UserId,
}

/// The dialog that confirms a revocation.
#[derive(TypedPath, Deserialize)]
#[typed_path("/settings/api-keys/{id}/revoke", rejection(PageError))]
pub struct ApiKeyRevoke {
    pub id: ApiKeyId,
}

/// Where an invited person becomes a user.
#[derive(TypedPath, Deserialize)]
#[typed_path("/invite/{token}", rejection(PageError))]
pub struct Invite {
    pub token: String,
}

/// What an invited person is given.
pub fn invite_link(public_url: &str, token: &str) -> String {
    format!("{public_url}{}", invite(token))
}

pub fn invite(token: &str) -> String {
    let token = token.to_owned();
    Invite { token }.to_string()
}

pub fn user(id: &UserId) -> String {
    User { id: id.clone() }.to_string()
}

pub fn webhook(id: &WebhookId) -> String {
    Webhook { id: id.clone() }.to_string()
}

pub fn delete(id: &WebhookId) -> String {
    WebhookDelete { id: id.clone() }.to_string()
}

pub fn test(id: &WebhookId) -> String {
    WebhookTest { id: id.clone() }.to_string()
}

/// The same, with the type chosen already.
pub fn test_of(id: &WebhookId, event_type: EventType) -> String {
    format!("{}?type={event_type}", test(id))
}

pub fn try_out(event_type: EventType) -> String {
    EventTypeTest { event_type }.to_string()
}

pub fn recover(id: &WebhookId) -> String {
    WebhookRecover { id: id.clone() }.to_string()
}

/// The log of one webhook, or of all.
pub fn deliveries(webhook: Option<&WebhookId>) -> String {
    webhook.map_or_else(
        || DELIVERIES.to_owned(),
        |id| WebhookDeliveries { id: id.clone() }.to_string(),
    )
}

pub fn delivery(id: &DeliveryId) -> String {
    Delivery { id: id.clone() }.to_string()
}

pub fn event(id: &EventId) -> String {
    Event { id: id.clone() }.to_string()
}

pub fn revoke(id: &ApiKeyId) -> String {
    ApiKeyRevoke { id: id.clone() }.to_string()
}

/// Where a zone is chosen, and what to return to.
pub fn time_zone(back: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{TIME_ZONE}?{}", query.append_pair("back", back).finish())
}
