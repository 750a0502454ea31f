//! Disabling of webhooks that keep failing.

use std::time::Duration;

use super::Timestamp;

/// Time without a successful attempt after which a webhook is disabled.
pub const DISABLE_AFTER: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// Percentages of [`DISABLE_AFTER`] at which a notice is recorded.
pub const NOTICE_PERCENTS: [u32; 3] = [50, 70, 90];

/// Returns the consequence of a failure at `now` for a webhook that has been failing since `since`. `previous` is the
/// time of its previous attempt.
///
/// | since | previous | now | result |
/// |---|---|---|---|
/// | 0 h | 50 h | 59 h | none |
/// | 0 h | 59 h | 61 h | notice, 50 % |
/// | 0 h | 59 h | 100 h | notice, 70 % |
/// | 0 h | 119 h | 120 h | disable |
pub fn escalation(since: Timestamp, previous: Timestamp, now: Timestamp) -> Option<Escalation> {
    if now.since(since) >= DISABLE_AFTER {
        return Some(Escalation::Disable);
    }
    let passed = |at: Timestamp, percent: u32| at.since(since) >= DISABLE_AFTER * percent / 100;
    NOTICE_PERCENTS
        .into_iter()
        .rev()
        .find(|&notice| passed(now, notice))
        .filter(|&notice| !passed(previous, notice))
        .map(Escalation::Notice)
}

/// Consequence of a continued failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escalation {
    /// This percentage of [`DISABLE_AFTER`] has passed.
    Notice(u32),
    Disable,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_notice_is_returned_once_before_disable() {
        let at = |hours: i64| Timestamp::from_millis(hours * 3_600_000);
        for (previous, now, expected) in [
            (0, 0, None),
            (50, 59, None),
            (59, 61, Some(Escalation::Notice(50))),
            (61, 62, None),
            (59, 100, Some(Escalation::Notice(70))),
            (100, 109, Some(Escalation::Notice(90))),
            (109, 119, None),
            (119, 120, Some(Escalation::Disable)),
            (0, 500, Some(Escalation::Disable)),
        ] {
            assert_eq!(
                escalation(at(0), at(previous), at(now)),
                expected,
                "{previous} to {now} h"
            );
        }
    }
}
