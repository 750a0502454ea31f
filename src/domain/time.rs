//! Moments as Unix milliseconds, the same number in the database, in Rust and in tests.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole Unix seconds, as `webhook-timestamp` wants them.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long ago `earlier` was; zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Where the present moment comes from. The server has the system's clock, tests have one that they move by hand.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// Told what the clock says that all processes of one database go by, give or take `uncertainty`. A clock that is
    /// moved by hand does not mind.
    fn adjust(&self, _common: Timestamp, _uncertainty: Duration) {}
}

#[cfg(feature = "ssr")]
mod rfc3339 {
    use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

    use super::Timestamp;

    impl Timestamp {
        /// `2026-11-23T10:00:00.000Z`: UTC, always with milliseconds.
        pub fn rfc3339(self) -> String {
            let at = self.utc();
            format!(
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                at.year(),
                u8::from(at.month()),
                at.day(),
                at.hour(),
                at.minute(),
                at.second(),
                at.millisecond()
            )
        }

        /// Reads any RFC 3339 text; finer than a millisecond is cut off. In UTC, too, its year has to have four digits:
        /// it could not be written down again.
        pub fn parse_rfc3339(text: &str) -> Option<Self> {
            let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
            let at = at.checked_to_offset(UtcOffset::UTC)?;
            if at.year() < 0 {
                return None;
            }
            i64::try_from(at.unix_timestamp_nanos().div_euclid(1_000_000))
                .ok()
                .map(Self)
        }

        /// The same moment as a calendar date and time; out of range becomes 1970.
        pub fn utc(self) -> OffsetDateTime {
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
                .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_keeps_three_digits_of_milliseconds() {
        assert_eq!(
            Timestamp::from_millis(1_795_428_000_000).rfc3339(),
            "2026-11-23T10:00:00.000Z"
        );
        assert_eq!(
            Timestamp::from_millis(1_795_428_000_007).rfc3339(),
            "2026-11-23T10:00:00.007Z"
        );
    }

    #[test]
    fn offsets_are_read_as_the_same_moment() {
        let utc = Timestamp::parse_rfc3339("2026-11-23T10:00:00Z");
        assert_eq!(utc, Timestamp::parse_rfc3339("2026-11-23T12:00:00.000+02:00"));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn what_is_read_can_be_written_again() {
        for text in ["0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text).unwrap().rfc3339(), text);
        }
        for text in ["0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"] {
            assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_round_down_before_1970_too() {
        assert_eq!(Timestamp::from_millis(-1).as_secs(), -1);
        assert_eq!(Timestamp::from_millis(1_999).as_secs(), 1);
    }
}
