//! Webhooks: destinations with a URL, a unique name, a secret and subscribed event types.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Outcome, Timestamp};
#[cfg(feature = "ssr")]
use super::{
    Principal, WebhookId, WebhookSettings,
    health::{FailureSeries, RecentAttempts},
};

/// Webhook without its secrets.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub settings: WebhookSettings,
    pub status: WebhookStatus,
    pub disabled_reason: Option<DisabledReason>,
    /// The failures since the last success. Set only if the status is [`WebhookStatus::Failing`].
    pub failing: Option<FailureSeries>,
    pub recent_attempts: RecentAttempts,
    pub last_attempt: Option<LastAttempt>,
    /// Number of saves. A save specifies the version it is based on, so that it cannot silently overwrite another one.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Principal of the last save.
    pub updated_by: Principal,
    /// Time until which the previous secret also signs, after a rotation.
    pub previous_secret_until: Option<Timestamp>,
}

/// Newest attempt, as the list of webhooks shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    pub at: Timestamp,
    pub outcome: Outcome,
}

/// Status of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum WebhookStatus {
    /// Events are sent.
    Active,
    /// Events are sent, but some recent attempts failed. See [`super::health::Health`].
    Degraded,
    /// Events are sent, but no attempt has succeeded for a while.
    Failing,
    /// Events are held until a user resumes the webhook.
    Paused,
    /// Events are neither sent nor held. See [`DisabledReason`].
    Disabled,
}

impl WebhookStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Reason a webhook is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum DisabledReason {
    /// The receiver responded with 410 Gone.
    Gone,
    /// No attempt succeeded for [`super::health::DISABLE_AFTER`], and several failed on several days.
    Failing,
}

impl DisabledReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
