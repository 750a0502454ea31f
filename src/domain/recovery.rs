//! Recovery: resends a webhook's failed or missed events in the background.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Principal, RecoveryId, Timestamp, WebhookId};

/// Events that a recovery resends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum RecoveryScope {
    /// Deliveries that have failed after all attempts.
    Failed,
    /// Every event of the subscribed types that was not delivered, including cancelled deliveries and events from
    /// before the webhook was added or while it was disabled.
    Missed,
}

impl RecoveryScope {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// State of a recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum RecoveryState {
    Running,
    Done,
    /// A user stopped it. Deliveries that were already due are still sent.
    Cancelled,
}

impl RecoveryState {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Recovery and its progress.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Recovery {
    pub id: RecoveryId,
    pub webhook_id: WebhookId,
    pub scope: RecoveryScope,
    /// Start of the period, inclusive. The period refers to the time at which events were received.
    pub since: Timestamp,
    /// End of the period, exclusive.
    pub until: Timestamp,
    pub state: RecoveryState,
    /// Time up to which the period has been processed.
    pub reached: Timestamp,
    /// Number of deliveries that the recovery has made due.
    pub recovered: u64,
    pub created_at: Timestamp,
    pub created_by: Principal,
}

impl Recovery {
    /// Returns the processed part of the period in percent.
    pub fn progress(&self) -> u64 {
        if self.state == RecoveryState::Done {
            return 100;
        }
        let (total, processed) = (self.until.since(self.since), self.reached.since(self.since));
        let percent = processed.as_millis().saturating_mul(100) / total.as_millis().max(1);
        u64::try_from(percent).unwrap_or(100).min(99)
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn progress_is_100_percent_only_when_done() {
        let mut recovery = Recovery {
            id: RecoveryId::generate(Timestamp::from_millis(0)),
            webhook_id: WebhookId::generate(Timestamp::from_millis(0)),
            scope: RecoveryScope::Missed,
            since: Timestamp::from_millis(1_000),
            until: Timestamp::from_millis(2_000),
            state: RecoveryState::Running,
            reached: Timestamp::from_millis(1_000),
            recovered: 0,
            created_at: Timestamp::from_millis(2_000),
            created_by: Principal::Operator,
        };
        assert_eq!(recovery.progress(), 0);
        recovery.reached = Timestamp::from_millis(1_250);
        assert_eq!(recovery.progress(), 25);
        recovery.reached = Timestamp::from_millis(2_000);
        assert_eq!(recovery.progress(), 99);
        recovery.state = RecoveryState::Done;
        assert_eq!(recovery.progress(), 100);
    }
}
