//! Health of a webhook as a function of its recent attempts, and the disabling of webhooks that keep failing.

use std::time::Duration;

use super::Timestamp;

/// Number of newest attempts that the health depends on.
pub const RECENT_ATTEMPTS: u32 = 20;

/// Minimum number of failed attempts since the last success of a failing webhook.
pub const FAILING_ATTEMPTS: u32 = 3;

/// Minimum time from the first to the last of these attempts, so that requests that fail together do not make a webhook
/// failing.
pub const FAILING_AFTER: Duration = Duration::from_secs(1);

/// Time without a successful attempt after which a webhook is disabled.
pub const DISABLE_AFTER: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// Minimum number of failed attempts in that time.
pub const DISABLE_ATTEMPTS: u32 = 10;

/// Minimum number of days (UTC) with failed attempts in that time.
pub const DISABLE_DAYS: u32 = 3;

/// Percentages of the way to being disabled at which a notice is recorded.
pub const NOTICE_PERCENTS: [u32; 3] = [10, 50, 90];

/// Health of a webhook that is neither paused nor disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// No recent attempt failed.
    Active,
    /// Some of the recent attempts failed.
    Degraded,
    /// No attempt has succeeded for a while, and several have failed.
    Failing,
}

/// Outcomes of the newest attempts, at most [`RECENT_ATTEMPTS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecentAttempts {
    pub total: u32,
    pub failed: u32,
}

/// Failed attempts since the last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureSeries {
    /// End of the first failed attempt.
    pub since: Timestamp,
    /// End of the last failed attempt.
    pub last: Timestamp,
    pub attempts: u32,
    /// Number of days (UTC) with failed attempts.
    pub days: u32,
}

/// Returns the health. `series` is `None` after a success.
///
/// | newest attempts, oldest first | health |
/// |---|---|
/// | none | active |
/// | 20 × success | active |
/// | success, failure | degraded |
/// | failure, 19 × success | degraded |
/// | failure, 20 × success | active |
/// | success, 8 × failure within 1 s | degraded |
/// | success, failure, failure 5 s later | degraded |
/// | success, failure, failure 5 s later, failure 5 min later | failing |
pub fn health(series: Option<FailureSeries>, recent: RecentAttempts) -> Health {
    match series {
        Some(series) if series.is_failing() => Health::Failing,
        _ if recent.failed > 0 => Health::Degraded,
        _ => Health::Active,
    }
}

impl FailureSeries {
    fn is_failing(self) -> bool {
        self.attempts >= FAILING_ATTEMPTS && self.last.since(self.since) >= FAILING_AFTER
    }

    /// Returns how far the webhook is on the way to being disabled, in percent. The condition that is furthest from
    /// being met determines it.
    ///
    /// | time from the first to the last failure | failed attempts | days with failures | percent |
    /// |---|---|---|---|
    /// | 12 h | 2 | 1 | 0 |
    /// | 12 h | 4 | 1 | 10 |
    /// | 60 h | 7 | 3 | 50 |
    /// | 6 days | 4 | 2 | 40 |
    /// | 6 days | 40 | 2 | 66 |
    /// | 119 h | 40 | 3 | 99 |
    /// | 5 days | 10 | 3 | 100 |
    pub fn percent_to_disable(self) -> u32 {
        if !self.is_failing() {
            return 0;
        }
        let time = self.last.since(self.since).as_secs().saturating_mul(100) / DISABLE_AFTER.as_secs();
        let time = u32::try_from(time).unwrap_or(u32::MAX);
        let attempts = self.attempts.saturating_mul(100) / DISABLE_ATTEMPTS;
        let days = self.days.saturating_mul(100) / DISABLE_DAYS;
        time.min(attempts).min(days).min(100)
    }
}

/// Consequence of a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escalation {
    /// The webhook has reached this percentage of the way to being disabled.
    Notice(u32),
    Disable,
}

/// Returns the consequence of the last attempt of a series. `noticed` is the percentage of the last notice, or 0.
///
/// Only an attempt that is the last of its delivery (`is_final`) disables the webhook, so that the delivery gets all
/// attempts of its retry schedule.
///
/// | percent | last notice | final attempt | result |
/// |---|---|---|---|
/// | 9 | 0 | yes or no | none |
/// | 12 | 0 | yes or no | notice, 10 % |
/// | 49 | 10 | yes or no | none |
/// | 95 | 10 | yes or no | notice, 90 % |
/// | 100 | 90 | no | none |
/// | 100 | 0 to 90 | yes | disable |
pub fn escalation(series: FailureSeries, noticed: u32, is_final: bool) -> Option<Escalation> {
    let percent = series.percent_to_disable();
    if percent == 100 && is_final {
        return Some(Escalation::Disable);
    }
    let reached = NOTICE_PERCENTS
        .into_iter()
        .rev()
        .find(|&notice| notice <= percent)?;
    (reached > noticed).then_some(Escalation::Notice(reached))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn series(millis: i64, attempts: u32, days: u32) -> FailureSeries {
        FailureSeries {
            since: Timestamp::from_millis(0),
            last: Timestamp::from_millis(millis),
            attempts,
            days,
        }
    }

    #[test]
    fn health_follows_the_table() {
        let recent = |total, failed| RecentAttempts { total, failed };
        for (series, recent, expected) in [
            (None, recent(0, 0), Health::Active),
            (None, recent(20, 0), Health::Active),
            (Some(series(0, 1, 1)), recent(1, 1), Health::Degraded),
            (Some(series(0, 1, 1)), recent(20, 1), Health::Degraded),
            (None, recent(20, 1), Health::Degraded),
            (None, recent(20, 19), Health::Degraded),
            (Some(series(999, 8, 1)), recent(9, 8), Health::Degraded),
            (Some(series(5_000, 2, 1)), recent(3, 2), Health::Degraded),
            (Some(series(72 * HOUR, 2, 2)), recent(20, 2), Health::Degraded),
            (Some(series(1_000, 3, 1)), recent(4, 3), Health::Failing),
            (Some(series(305_000, 3, 1)), recent(4, 3), Health::Failing),
        ] {
            assert_eq!(health(series, recent), expected, "{series:?}, {recent:?}");
        }
    }

    #[test]
    fn condition_furthest_from_met_determines_the_percentage() {
        for (hours, attempts, days, percent) in [
            (12, 2, 1, 0),
            (12, 4, 1, 10),
            (60, 7, 3, 50),
            (144, 4, 2, 40),
            (144, 40, 2, 66),
            (119, 40, 3, 99),
            (120, 9, 3, 90),
            (120, 10, 3, 100),
            (10_000, 10_000, 100, 100),
        ] {
            let series = series(hours * HOUR, attempts, days);
            assert_eq!(series.percent_to_disable(), percent, "{series:?}");
        }
    }

    #[test]
    fn each_notice_is_returned_once_and_final_attempt_disables() {
        let at = |hours: i64| series(hours * HOUR, 100, 10);
        for (hours, noticed, is_final, expected) in [
            (11, 0, true, None),
            (12, 0, false, Some(Escalation::Notice(10))),
            (59, 10, true, None),
            (60, 10, true, Some(Escalation::Notice(50))),
            (110, 10, false, Some(Escalation::Notice(90))),
            (119, 90, true, None),
            (120, 90, false, None),
            (120, 50, false, Some(Escalation::Notice(90))),
            (120, 90, true, Some(Escalation::Disable)),
            (500, 0, true, Some(Escalation::Disable)),
        ] {
            assert_eq!(
                escalation(at(hours), noticed, is_final),
                expected,
                "{hours} h, {noticed} %"
            );
        }
        // Two bad moments, days apart.
        assert_eq!(escalation(series(144 * HOUR, 2, 2), 0, true), None);
    }
}
