//! Retry policy: decides what follows an attempt, as a pure function.

use std::{fmt, str::FromStr, time::Duration};

use super::Outcome;

/// Delays between attempts. There is one more attempt than there are delays.
///
/// The default, with the time since the first attempt (before jitter):
///
/// | attempt | delay | since the first |
/// |---|---|---|
/// | 1 | | 0 |
/// | 2 | 5 s | 5 s |
/// | 3 | 5 min | 5 min 5 s |
/// | 4 | 30 min | 35 min 5 s |
/// | 5 | 2 h | 2 h 35 min |
/// | 6 | 5 h | 7 h 35 min |
/// | 7 | 10 h | 17 h 35 min |
/// | 8 | 14 h | 31 h 35 min |
/// | 9 | 20 h | 51 h 35 min |
/// | 10 | 24 h | 75 h 35 min |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySchedule(Vec<Duration>);

/// Decision about a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Delivered,
    RetryIn(Duration),
    /// All attempts have failed.
    GiveUp,
    /// The receiver responded with 410: disable its webhook.
    Disable,
}

/// Maximum delay that a receiver can request with `Retry-After`.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Maximum relative jitter of a delay, in both directions. It spreads out the retries of deliveries that failed
/// together.
pub const JITTER: f64 = 0.10;

impl RetrySchedule {
    pub fn new(delays: Vec<Duration>) -> Self {
        Self(delays)
    }

    /// Decides what follows attempt `number`, starting from 1. `random` is between 0 and 1 and determines the jitter.
    ///
    /// | outcome | verdict |
    /// |---|---|
    /// | 2xx | delivered |
    /// | 410 | disable |
    /// | 429, 503 with `Retry-After` | retry after the longer of the requested and the scheduled delay |
    /// | anything else | retry after the scheduled delay ± 10 % |
    /// | anything else at the last attempt | give up |
    pub fn decide(&self, number: u32, outcome: Outcome, random: f64) -> Verdict {
        if outcome.succeeded() {
            return Verdict::Delivered;
        }
        if outcome.status_code() == Some(410) {
            return Verdict::Disable;
        }
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(&delay) = self.0.get(index) else {
            return Verdict::GiveUp;
        };
        let delay = delay.mul_f64(1.0 + JITTER * (2.0 * random.clamp(0.0, 1.0) - 1.0));
        match outcome {
            Outcome::Answered {
                status: 429 | 503,
                retry_after: Some(requested),
            } => Verdict::RetryIn(delay.max(requested.min(MAX_RETRY_AFTER))),
            _ => Verdict::RetryIn(delay),
        }
    }

    /// Returns the maximum number of attempts of a delivery.
    pub fn attempts(&self) -> usize {
        self.0.len() + 1
    }

    pub fn delays(&self) -> &[Duration] {
        &self.0
    }
}

impl Default for RetrySchedule {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        let delays = [
            5,
            5 * MINUTE,
            30 * MINUTE,
            2 * HOUR,
            5 * HOUR,
            10 * HOUR,
            14 * HOUR,
            20 * HOUR,
            24 * HOUR,
        ];
        Self(delays.into_iter().map(Duration::from_secs).collect())
    }
}

/// Error for an invalid retry schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid delay {0:?}: use values such as 5s,5m,2h; at most 30 delays, each at most 7d; or off for a single attempt"
)]
pub struct InvalidSchedule(String);

impl FromStr for RetrySchedule {
    type Err = InvalidSchedule;

    fn from_str(text: &str) -> Result<Self, InvalidSchedule> {
        if text.trim() == "off" {
            return Ok(Self(Vec::new()));
        }
        let delays = text.split(',').map(parse_delay).collect::<Result<Vec<_>, _>>()?;
        if delays.len() > 30 {
            Err(InvalidSchedule(text.to_owned()))
        } else {
            Ok(Self(delays))
        }
    }
}

/// Parses a delay such as `90s`, `5m`, `2h`, `1d` or `500ms`.
fn parse_delay(text: &str) -> Result<Duration, InvalidSchedule> {
    let invalid = || InvalidSchedule(text.to_owned());
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(invalid)?;
    let number: u64 = text[..digits].parse().map_err(|_| invalid())?;
    let millis = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(invalid()),
    };
    let delay = Duration::from_millis(number.checked_mul(millis).ok_or_else(invalid)?);
    if delay <= Duration::from_secs(7 * 86_400) {
        Ok(delay)
    } else {
        Err(invalid())
    }
}

impl fmt::Display for RetrySchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("off");
        }
        for (index, delay) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            match delay.as_millis() {
                ms if ms % 3_600_000 == 0 && ms > 0 => write!(f, "{comma}{}h", ms / 3_600_000)?,
                ms if ms % 60_000 == 0 && ms > 0 => write!(f, "{comma}{}m", ms / 60_000)?,
                ms if ms % 1_000 == 0 => write!(f, "{comma}{}s", ms / 1_000)?,
                ms => write!(f, "{comma}{ms}ms")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FailureReason;

    const REFUSED: Outcome = Outcome::Failed(FailureReason::Connect);

    fn answered(status: u16) -> Outcome {
        Outcome::Answered {
            status,
            retry_after: None,
        }
    }

    fn busy(status: u16, seconds: u64) -> Outcome {
        Outcome::Answered {
            status,
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    #[test]
    fn default_schedule_is_the_documented_one() {
        let schedule = RetrySchedule::default();
        assert_eq!(schedule.to_string(), "5s,5m,30m,2h,5h,10h,14h,20h,24h");
        assert_eq!("5s,5m,30m,2h,5h,10h,14h,20h,24h".parse(), Ok(schedule));
    }

    #[test]
    fn default_schedule_has_ten_attempts_with_exact_delays() {
        let schedule = RetrySchedule::default();
        for (index, &delay) in schedule.delays().iter().enumerate() {
            let number = u32::try_from(index).unwrap() + 1;
            assert_eq!(schedule.decide(number, REFUSED, 0.5), Verdict::RetryIn(delay));
        }
        assert_eq!(schedule.attempts(), 10);
        assert_eq!(schedule.decide(10, REFUSED, 0.5), Verdict::GiveUp);
        assert_eq!(schedule.decide(11, REFUSED, 0.5), Verdict::GiveUp);
    }

    #[test]
    fn only_2xx_is_success_and_410_disables() {
        let schedule = RetrySchedule::default();
        for status in 100..=599 {
            let verdict = schedule.decide(1, answered(status), 0.5);
            match status {
                200..=299 => assert_eq!(verdict, Verdict::Delivered),
                410 => assert_eq!(verdict, Verdict::Disable),
                _ => assert_eq!(verdict, Verdict::RetryIn(Duration::from_secs(5)), "{status}"),
            }
        }
    }

    #[test]
    fn retry_after_extends_the_delay_of_429_and_503_only() {
        let schedule = RetrySchedule::default();
        let seconds = |n| Verdict::RetryIn(Duration::from_secs(n));
        assert_eq!(schedule.decide(1, busy(429, 60), 0.5), seconds(60));
        assert_eq!(schedule.decide(1, busy(503, 60), 0.5), seconds(60));
        assert_eq!(schedule.decide(1, busy(500, 60), 0.5), seconds(5));
        assert_eq!(schedule.decide(1, busy(429, 1), 0.5), seconds(5));
        assert_eq!(schedule.decide(1, busy(429, u64::MAX), 0.5), seconds(86_400));
        assert_eq!(schedule.decide(10, busy(429, 60), 0.5), Verdict::GiveUp);
    }

    #[test]
    fn rejects_invalid_schedules() {
        for bad in [
            "5",
            "s",
            "5x",
            "5s,,5m",
            "8d",
            "-5s",
            "99999999999999999999s",
            "",
            " ",
            "OFF",
            "off,5s",
        ] {
            assert!(bad.parse::<RetrySchedule>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn off_is_a_single_attempt() {
        let schedule: RetrySchedule = "off".parse().unwrap();
        assert_eq!(schedule.attempts(), 1);
        assert_eq!(schedule.decide(1, REFUSED, 0.5), Verdict::GiveUp);
        assert_eq!(schedule.to_string(), "off");
    }

    proptest::proptest! {
        #[test]
        fn jitter_stays_within_ten_percent(random in 0.0..=1.0_f64, number in 1_u32..=9) {
            let schedule = RetrySchedule::default();
            let delay = schedule.delays()[usize::try_from(number).unwrap() - 1];
            let Verdict::RetryIn(actual) = schedule.decide(number, REFUSED, random) else { panic!("gave up") };
            proptest::prop_assert!(actual >= delay.mul_f64(0.8999) && actual <= delay.mul_f64(1.1001));
        }
    }
}
