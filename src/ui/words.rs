//! What people read for the codes of the domain and the store.

use crate::{
    auth::api_key::{AUDIT_READ, EVENTS_WRITE, WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{DeliveryStatus, DisabledReason, Role, WebhookStatus, api_key::Expiry},
};

/// The word on a badge, in a table or in a list of choices.
pub trait Label {
    fn label(self) -> &'static str;
}

impl Label for WebhookStatus {
    fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Failing => "Failing",
            Self::Paused => "Paused",
            Self::Disabled => "Disabled",
        }
    }
}

impl Label for DeliveryStatus {
    fn label(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Held => "Held",
            Self::Delivered => "Delivered",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl Label for Role {
    fn label(self) -> &'static str {
        match self {
            Self::Viewer => "Viewer",
            Self::Member => "Member",
            Self::Admin => "Admin",
        }
    }
}

/// `a member`, `an admin`
pub fn with_article(role: Role) -> String {
    let article = if role == Role::Admin { "an" } else { "a" };
    format!("{article} {role}")
}

/// Completes the sentence “Disabled because …”.
pub fn because(reason: DisabledReason) -> &'static str {
    match reason {
        DisabledReason::Gone => "the receiver answered 410 Gone",
        DisabledReason::Failing => "no call succeeded for five days",
    }
}

/// What an API key with this scope may do.
pub fn allowed_by(scope: &str) -> &'static str {
    match scope {
        EVENTS_WRITE => "Publish events.",
        WEBHOOKS_READ => "See webhooks, events and deliveries, but no secrets.",
        WEBHOOKS_WRITE => {
            "Add, edit, pause and delete webhooks, test them, send again what they missed, and read their secrets."
        }
        AUDIT_READ => "Read the audit log: who did what, when, and from where.",
        _ => "",
    }
}

pub fn expiry(expiry: Expiry) -> String {
    match expiry {
        Expiry::Never => "Never".to_owned(),
        Expiry::Days(365) => "In 1 year".to_owned(),
        Expiry::Days(days) => format!("In {days} days"),
        Expiry::Date => "On a date".to_owned(),
    }
}
