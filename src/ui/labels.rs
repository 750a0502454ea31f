//! Labels and descriptions for the values of the domain.

use crate::{
    auth::api_key::{AUDIT_READ, EVENTS_WRITE, WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{DeliveryStatus, DisabledReason, Role, WebhookStatus, api_key::Expiry},
};

/// A short label for badges, tables and select fields.
pub trait Label {
    fn label(self) -> &'static str;
}

impl Label for WebhookStatus {
    fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Degraded => "Degraded",
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

/// Returns the role with its article: `a member`, `an admin`.
pub fn with_article(role: Role) -> String {
    let article = if role == Role::Admin { "an" } else { "a" };
    format!("{article} {role}")
}

/// Returns the text that completes “Disabled because …”.
pub fn disabled_reason(reason: DisabledReason) -> &'static str {
    match reason {
        DisabledReason::Gone => "the receiver responded with 410 Gone",
        DisabledReason::Failing => "no call succeeded for five days, and calls failed on several of them",
    }
}

/// Returns a description of what an API key with this scope can do.
pub fn scope_description(scope: &str) -> &'static str {
    match scope {
        EVENTS_WRITE => "Publish events.",
        WEBHOOKS_READ => "Read webhooks, with shortened URLs, events and deliveries, but not secrets.",
        WEBHOOKS_WRITE => {
            "Add, edit, pause, test and delete webhooks, resend deliveries, and read secrets and whole URLs."
        }
        AUDIT_READ => "Read the audit log: who did what, when and from where.",
        _ => "",
    }
}

pub fn expiry_label(expiry: Expiry) -> String {
    match expiry {
        Expiry::Never => "Never".to_owned(),
        Expiry::Days(365) => "In 1 year".to_owned(),
        Expiry::Days(days) => format!("In {days} days"),
        Expiry::Date => "Custom date".to_owned(),
    }
}
