//! Parameters and results of operations on webhooks.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{AuditEvent, CacheKey, InvalidationReason, Sealed, SealedSecrets};
use crate::domain::{
    AccountId, Actor, AuditAction, EndpointUrl, EventType, Origin, Principal, Timestamp, UrlVisibility,
    Webhook, WebhookId, WebhookSettings, WebhookStatus,
    delivery_settings::{Retries, TimeoutSeconds},
};

/// Numbers of open deliveries of a webhook. Counting stops at a total of one more than [`OpenDeliveries::COUNT_LIMIT`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenDeliveries {
    pub pending: u64,
    pub held: u64,
}

/// Held deliveries of a paused webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldDeliveries {
    /// At most [`OpenDeliveries::COUNT_LIMIT`]` + 1`.
    pub count: u64,
    /// Receipt time of the oldest event. One that was retried before the pause may be older, by the retry schedule at
    /// most.
    pub oldest: Timestamp,
}

impl OpenDeliveries {
    /// Largest total that is exact.
    pub const COUNT_LIMIT: u64 = 10_000;
}

/// What to do with held deliveries when a webhook is resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum HeldAction {
    #[default]
    Send,
    /// Cancels the deliveries, and keeps them in the delivery log.
    Drop,
}

/// Change of a webhook: its subject, author, origin and time.
#[derive(Debug, Clone)]
pub struct Change {
    pub account_id: AccountId,
    pub webhook_id: WebhookId,
    pub by: Principal,
    pub from: Origin,
    pub at: Timestamp,
}

impl Change {
    pub fn new(actor: &Actor, webhook_id: WebhookId, at: Timestamp) -> Self {
        Self {
            account_id: actor.account_id.clone(),
            webhook_id,
            by: actor.principal.clone(),
            from: actor.origin,
            at,
        }
    }

    /// Returns the key under which other processes cache the webhook.
    pub(super) fn cache_key(&self, reason: InvalidationReason) -> CacheKey {
        CacheKey::Webhook(self.webhook_id.clone(), reason)
    }

    pub(super) fn audit_event(&self, action: AuditAction) -> AuditEvent {
        let actor = Actor {
            account_id: self.account_id.clone(),
            principal: self.by.clone(),
            origin: self.from,
        };
        AuditEvent::new(&actor, action, self.webhook_id.as_str(), self.at)
    }
}

#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub change: Change,
    pub settings: WebhookSettings,
    pub secret: Sealed,
    pub headers: Option<Sealed>,
    /// Maximum number of webhooks of the account, including this one.
    pub max_webhooks: u32,
}

#[derive(Debug, Clone)]
pub struct UpdateWebhook {
    pub change: Change,
    pub settings: WebhookSettings,
    /// Replaces the current secret immediately, without an overlap.
    pub secret: Option<Sealed>,
    /// `None` keeps the headers.
    pub headers: Option<NewHeaders>,
    /// Expected current version. `None` skips the check.
    pub expected_version: Option<i64>,
}

/// New values of custom headers.
#[derive(Debug, Clone)]
pub struct NewHeaders {
    /// All headers, or `None` if the webhook has no headers any more.
    pub sealed: Option<Sealed>,
    /// Names of the headers with a new value, for the audit log.
    pub replaced: Vec<String>,
}

#[derive(Debug, Clone)]
pub enum UpdateOutcome {
    Saved(Box<Webhook>),
    /// The version is not the expected one. Contains the current webhook.
    VersionConflict(Box<Webhook>),
    NameTaken,
    NotFound,
}

#[derive(Debug)]
pub enum DeleteOutcome {
    Deleted(DeletedWebhook),
    /// The version is not the expected one. Contains the current webhook.
    VersionConflict(Box<Webhook>),
    NotFound,
}

#[derive(Debug, Clone)]
pub struct DeletedWebhook {
    pub name: String,
    /// Number of cancelled deliveries.
    pub cancelled: u64,
}

/// The settings of a webhook that an attempt needs.
#[derive(Debug, Clone)]
pub struct Destination {
    pub url: EndpointUrl,
    /// `None` is that of the server.
    pub timeout: Option<TimeoutSeconds>,
    pub retries: Retries,
    pub state: DestinationState,
    pub secrets: SealedSecrets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum DestinationState {
    Active,
    Paused,
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookFilter {
    /// Substring of the name or the URL, ignoring case. Of the URL, only the host and port if URLs are shortened.
    pub search: Option<String>,
    /// What the caller sees of URLs. A search must not find what the caller does not see.
    pub urls: UrlVisibility,
    pub event_type: Option<EventType>,
    pub status: Option<WebhookStatus>,
    /// Returns only webhooks created before this one. Does not affect the counts.
    pub before: Option<WebhookId>,
    /// Zero-based page number.
    pub page: u32,
    /// Page size.
    pub limit: u32,
}

impl Default for WebhookFilter {
    fn default() -> Self {
        Self {
            search: None,
            urls: UrlVisibility::default(),
            event_type: None,
            status: None,
            before: None,
            page: 0,
            limit: Self::PAGE_SIZE,
        }
    }
}

impl WebhookFilter {
    pub const PAGE_SIZE: u32 = 50;
}

#[derive(Debug, Clone)]
pub struct WebhookPage {
    pub webhooks: Vec<Webhook>,
    /// Number of webhooks that match the filter.
    pub matching: u64,
    /// Number of webhooks of the account.
    pub total: u64,
}

/// Numbers of attempts of a webhook in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourlyActivity {
    pub webhook_id: WebhookId,
    pub hour: Timestamp,
    pub succeeded: u32,
    pub failed: u32,
}
