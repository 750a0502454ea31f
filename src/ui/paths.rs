//! The addresses of the screens.

use url::form_urlencoded;

use crate::domain::{
    ApiKeyId, DeliveryId, EventId, EventType, InviteId, RecoveryId, SessionId, UserId, WebhookId,
};

pub const LOGIN: &str = "/login";
pub const LOGOUT: &str = "/logout";
pub const THEME: &str = "/theme";
pub const LIST: &str = "/integrations/webhook";
pub const NEW: &str = "/integrations/webhook/new";
pub const DELIVERIES: &str = "/integrations/webhook/deliveries";
pub const EVENTS: &str = "/integrations/webhook/events";
pub const EVENT_TYPES: &str = "/integrations/webhook/event-types";
pub const GUIDE: &str = "/integrations/webhook/guide";
pub const API_KEYS: &str = "/settings/api-keys";
pub const API_KEY_NEW: &str = "/settings/api-keys/new";
pub const USERS: &str = "/settings/users";
pub const AUDIT_LOG: &str = "/settings/audit-log";
pub const TIME_ZONE: &str = "/settings/time-zone";
pub const AUDIT_EXPORT: &str = "/settings/audit-log/export";
pub const API_DOCS: &str = "/api/docs";
pub const API_DESCRIPTION: &str = "/api/v1/openapi.json";
pub const ACCOUNT: &str = "/settings/account";

pub const PASSWORD: &str = "/settings/account/password";
pub const END_OTHERS: &str = "/settings/account/sessions/end-others";

/// Where they begin. What follows is a token, which opens something by itself.
pub const INVITES: &str = "/invite/";

/// What an invited person is given: there they become a user.
pub fn invite_link(public_url: &str, token: &str) -> String {
    format!("{public_url}{}", invite(token))
}

pub fn invite(token: &str) -> String {
    format!("{INVITES}{token}")
}

pub fn user(id: &UserId) -> String {
    format!("{USERS}/{id}")
}

pub fn disable(id: &UserId) -> String {
    format!("{USERS}/{id}/disable")
}

pub fn enable(id: &UserId) -> String {
    format!("{USERS}/{id}/enable")
}

pub fn renew_invite(id: &InviteId) -> String {
    format!("{USERS}/invites/{id}/renew")
}

pub fn revoke_invite(id: &InviteId) -> String {
    format!("{USERS}/invites/{id}/revoke")
}

pub fn end_session(id: &SessionId) -> String {
    format!("{ACCOUNT}/sessions/{id}/end")
}

pub fn webhook(id: &WebhookId) -> String {
    format!("{LIST}/{id}")
}

pub fn delete(id: &WebhookId) -> String {
    format!("{LIST}/{id}/delete")
}

pub fn pause(id: &WebhookId) -> String {
    format!("{LIST}/{id}/pause")
}

pub fn resume(id: &WebhookId) -> String {
    format!("{LIST}/{id}/resume")
}

pub fn test(id: &WebhookId) -> String {
    format!("{LIST}/{id}/test")
}

/// The same, with the type chosen already.
pub fn test_of(id: &WebhookId, event_type: EventType) -> String {
    format!("{LIST}/{id}/test?type={event_type}")
}

pub fn try_out(event_type: EventType) -> String {
    format!("{EVENT_TYPES}/{event_type}/test")
}

pub fn recover(id: &WebhookId) -> String {
    format!("{LIST}/{id}/recover")
}

pub fn cancel_recovery(id: &WebhookId, recovery: &RecoveryId) -> String {
    format!("{LIST}/{id}/recover/{recovery}/cancel")
}

pub fn reveal(id: &WebhookId) -> String {
    format!("{LIST}/{id}/reveal")
}

pub fn rotate(id: &WebhookId) -> String {
    format!("{LIST}/{id}/rotate")
}

/// Where a zone is chosen, and what to return to.
pub fn time_zone(back: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("{TIME_ZONE}?{}", query.append_pair("return", back).finish())
}

/// The log of one webhook, or of all.
pub fn deliveries(webhook: Option<&WebhookId>) -> String {
    webhook.map_or_else(|| DELIVERIES.to_owned(), |id| format!("{LIST}/{id}/deliveries"))
}

pub fn delivery(id: &DeliveryId) -> String {
    format!("{DELIVERIES}/{id}")
}

pub fn resend(id: &DeliveryId) -> String {
    format!("{DELIVERIES}/{id}/resend")
}

pub fn event(id: &EventId) -> String {
    format!("{EVENTS}/{id}")
}

pub fn revoke(id: &ApiKeyId) -> String {
    format!("{API_KEYS}/{id}/revoke")
}
