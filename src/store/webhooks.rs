//! Webhooks and their secrets.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{AuditEvent, Invalidated, Sealed, SealedSecrets, Stale};
use crate::domain::{
    AccountId, Actor, AuditAction, EndpointUrl, EventType, Origin, Principal, Timestamp, Webhook, WebhookId,
    WebhookSettings, WebhookStatus,
};

/// Deliveries of a webhook that are still to be sent; both together are counted no further than one beyond
/// [`OpenDeliveries::COUNTED`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenDeliveries {
    pub pending: u64,
    pub held: u64,
}

impl OpenDeliveries {
    pub const COUNTED: u64 = 10_000;
}

/// What becomes of the deliveries that a paused webhook holds, when it is resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Held {
    #[default]
    Send,
    /// They are cancelled, and stay on record.
    Drop,
}

/// Who changes which webhook, from where, and when.
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

    /// What other processes may have cached of it.
    pub(super) fn stale(&self, change: Invalidated) -> Stale {
        Stale::Webhook(self.webhook_id.clone(), change)
    }

    /// What it is to the audit log.
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
    /// How many the account may have, this one included.
    pub at_most: u32,
}

#[derive(Debug, Clone)]
pub struct UpdateWebhook {
    pub change: Change,
    pub settings: WebhookSettings,
    /// Replaces the current secret at once, without an overlap.
    pub secret: Option<Sealed>,
    /// The version that the change was made on; `None` overwrites whatever is there.
    pub based_on: Option<i64>,
}

/// What became of an update.
#[derive(Debug, Clone)]
pub enum Updated {
    Saved(Box<Webhook>),
    /// Somebody saved it since; this is what it is now.
    Stale(Box<Webhook>),
    NameTaken,
    NotFound,
}

#[derive(Debug)]
pub enum Removed {
    Done(Deleted),
    /// Somebody saved it since; this is what it is now.
    Stale(Box<Webhook>),
    NotFound,
}

#[derive(Debug, Clone)]
pub struct Deleted {
    pub name: String,
    pub cancelled: u64,
}

/// What an attempt needs to know of its webhook.
#[derive(Debug, Clone)]
pub struct Destination {
    pub url: EndpointUrl,
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
    /// Part of the name or the URL, in any case.
    pub search: Option<String>,
    pub event_type: Option<EventType>,
    pub status: Option<WebhookStatus>,
    /// Only those older than this one; the counts are of all.
    pub before: Option<WebhookId>,
    /// 0 for the first,
    pub page: u32,
    /// of so many each.
    pub limit: u32,
}

impl Default for WebhookFilter {
    fn default() -> Self {
        Self {
            search: None,
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
    /// How many match the filter.
    pub matching: u64,
    /// How many the account has.
    pub total: u64,
}

/// The attempts of one webhook in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourOfActivity {
    pub webhook_id: WebhookId,
    pub hour: Timestamp,
    pub succeeded: u32,
    pub failed: u32,
}
