//! Parses the scope and the time range of a recovery.

use std::time::Duration;

use super::{query::parse_timestamp, zone::Zone};
use crate::{
    domain::{RecoveryScope, Timestamp},
    store::RecoveryRange,
};

/// Default length of the range.
const DEFAULT_RANGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns whether the text is a scope. Empty means the default.
pub fn is_scope(scope: &str) -> bool {
    scope.is_empty() || scope.parse::<RecoveryScope>().is_ok()
}

/// Returns whether the text is a time. Empty means the default.
pub fn is_time(since: &str, zone: &Zone) -> bool {
    since.is_empty() || parse_since(since, zone).is_some()
}

/// Parses RFC 3339, or the value of a `datetime-local` field in `zone`.
fn parse_since(since: &str, zone: &Zone) -> Option<Timestamp> {
    parse_timestamp(since).or_else(|| zone.parse_field(since))
}

/// Returns the range that ends now. An invalid text counts as empty, for a page that is shown again. `since` is RFC 3339, or the value of a `datetime-local` field in `zone`.
pub fn recovery_range(scope: &str, since: &str, zone: &Zone, now: Timestamp) -> RecoveryRange {
    let since = parse_since(since, zone);
    RecoveryRange {
        scope: scope.parse().unwrap_or(RecoveryScope::Failed),
        since: since
            .unwrap_or_else(|| truncate_to_minute(now.minus(DEFAULT_RANGE)))
            .min(now),
        until: now,
    }
}

/// Drops the seconds, which would only make the form field longer.
fn truncate_to_minute(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis().div_euclid(60_000) * 60_000)
}
