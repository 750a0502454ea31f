//! Paths of the pages, shared by the router and by links.

use axum_extra::routing::TypedPath;
use serde::Deserialize;
use url::form_urlencoded;

use super::error::PageError;
use crate::domain::{ApiKeyId, DeliveryId, EventId, EventType, PublicUrl, UserId, WebhookId};

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

/// Prefix of invite paths. The rest is a token, which is a credential and must not be logged.
pub const INVITE_PREFIX: &str = "/invite/";

/// Path of the dialog “Edit Webhook”.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}", rejection(PageError))]
pub struct Webhook {
    pub id: WebhookId,
}

/// Path of the dialog that confirms a deletion.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/{id}/delete", rejection(PageError))]
pub struct WebhookDelete {
    pub id: WebhookId,
}

/// Path of the dialog “Send test event”.
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

/// Path of the delivery log of a webhook.
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

/// Path of the response to an attempt, as plain text. The query names the attempt.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/deliveries/{id}/response", rejection(PageError))]
pub struct DeliveryResponse {
    pub id: DeliveryId,
}

#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/events/{id}", rejection(PageError))]
pub struct Event {
    pub id: EventId,
}

/// Path of the body of an event, as plain text.
#[derive(TypedPath, Deserialize)]
#[typed_path("/integrations/webhook/events/{id}/body", rejection(PageError))]
pub struct EventBody {
    pub id: EventId,
}

/// Redirects from the event catalog to the test dialog of the chosen webhook.
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

/// Path of the dialog that confirms a revocation.
#[derive(TypedPath, Deserialize)]
#[typed_path("/settings/api-keys/{id}/revoke", rejection(PageError))]
pub struct ApiKeyRevoke {
    pub id: ApiKeyId,
}

/// Path of the page where an invited user joins the account.
#[derive(TypedPath, Deserialize)]
#[typed_path("/invite/{token}", rejection(PageError))]
pub struct Invite {
    pub token: String,
}

/// Returns the absolute URL of an invite.
pub fn invite_link(url: &PublicUrl, token: &str) -> String {
    url.join(&invite(token))
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

/// Returns the path of the test dialog with an event type selected.
pub fn test_with_type(id: &WebhookId, event_type: EventType) -> String {
    format!("{}?type={event_type}", test(id))
}

pub fn event_type_test(event_type: EventType) -> String {
    EventTypeTest { event_type }.to_string()
}

pub fn recover(id: &WebhookId) -> String {
    WebhookRecover { id: id.clone() }.to_string()
}

/// Returns the path of the delivery log of a webhook, or of all webhooks.
pub fn deliveries(webhook: Option<&WebhookId>) -> String {
    webhook.map_or_else(
        || DELIVERIES.to_owned(),
        |id| WebhookDeliveries { id: id.clone() }.to_string(),
    )
}

pub fn delivery(id: &DeliveryId) -> String {
    Delivery { id: id.clone() }.to_string()
}

/// Returns the path of a delivery whose newest shown attempt is the one before `number`.
pub fn delivery_before(id: &DeliveryId, number: u32) -> String {
    format!("{}?before={number}", delivery(id))
}

pub fn attempt_response(id: &DeliveryId, number: u32) -> String {
    format!("{}?attempt={number}", DeliveryResponse { id: id.clone() })
}

pub fn event_body(id: &EventId) -> String {
    EventBody { id: id.clone() }.to_string()
}

pub fn event(id: &EventId) -> String {
    Event { id: id.clone() }.to_string()
}

pub fn revoke(id: &ApiKeyId) -> String {
    ApiKeyRevoke { id: id.clone() }.to_string()
}

/// Returns the path of the time zone page, which then returns to `back`.
pub fn time_zone(back: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{TIME_ZONE}?{}", query.append_pair("back", back).finish())
}
