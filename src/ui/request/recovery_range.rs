//! What a recovery looks through, from a form or an address.

use std::time::Duration;

use super::{query::moment, zone::Zone};
use crate::{
    domain::{RecoveryScope, Timestamp},
    store::RecoveryRange,
};

/// What is looked through unless somebody chooses otherwise.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// `since` is RFC 3339, or as a browser's field has it, in the viewer's time zone.
pub fn range(scope: &str, since: &str, zone: &Zone, now: Timestamp) -> RecoveryRange {
    let since = moment(since).or_else(|| zone.read_field(since));
    RecoveryRange {
        scope: scope.parse().unwrap_or(RecoveryScope::Failed),
        since: since.unwrap_or_else(|| full_minute(now.minus(DAY))).min(now),
        until: now,
    }
}

/// Seconds would only make the field longer.
fn full_minute(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(60_000) * 60_000)
}
