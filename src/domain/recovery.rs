//! Sending again what a webhook has missed, in the background.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Principal, RecoveryId, Timestamp, WebhookId};

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum RecoveryScope {
    /// Deliveries that have failed for good.
    Failed,
    /// Every event that the webhook wants now and has not been delivered: also those from before it existed, from while
    /// it was disabled, and what was cancelled.
    Missed,
}

impl RecoveryScope {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum RecoveryState {
    Running,
    Done,
    /// Somebody stopped it; what it had made due until then is sent all the same.
    Cancelled,
}

impl RecoveryState {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One recovery, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    pub id: RecoveryId,
    pub webhook_id: WebhookId,
    pub scope: RecoveryScope,
    /// Events received then or later,
    pub since: Timestamp,
    /// and earlier than this.
    pub until: Timestamp,
    pub state: RecoveryState,
    /// Everything received before this has been looked at.
    pub reached: Timestamp,
    /// How many deliveries it has made due.
    pub recovered: u64,
    pub created_at: Timestamp,
    pub created_by: Principal,
}

impl Recovery {
    /// How much of the time it goes through is behind it, in per cent.
    pub fn progress(&self) -> u64 {
        if self.state == RecoveryState::Done {
            return 100;
        }
        let (all, gone) = (self.until.since(self.since), self.reached.since(self.since));
        let per_cent = gone.as_millis().saturating_mul(100) / all.as_millis().max(1);
        u64::try_from(per_cent).unwrap_or(100).min(99)
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn progress_is_by_time_and_100_only_at_the_end() {
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
