//! Timestamps in Unix milliseconds, the representation of the database.

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

    /// Returns whole Unix seconds, the unit of `webhook-timestamp`.
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

    /// Returns the time since `earlier`, or zero if it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// Source of the current time. The server uses the system clock. Tests use a clock that they set.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// Adjusts this clock to the clock of the database, which is known within `uncertainty`. Does nothing by default.
    fn adjust(&self, _database_time: Timestamp, _uncertainty: Duration) {}
}

#[cfg(feature = "ssr")]
mod rfc3339 {
    use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

    use super::Timestamp;

    impl Timestamp {
        /// Formats the time as RFC 3339, in UTC with milliseconds: `2026-11-23T10:00:00.000Z`.
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

        /// Parses an RFC 3339 time and truncates it to milliseconds. In UTC, its year must have four digits, because
        /// RFC 3339 cannot represent others.
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

        /// Returns the calendar date and time in UTC, or the start of 1970 if it is out of range.
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
    fn rfc3339_has_three_digits_of_milliseconds() {
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
    fn offsets_are_converted_to_utc() {
        let utc = Timestamp::parse_rfc3339("2026-11-23T10:00:00Z");
        assert_eq!(utc, Timestamp::parse_rfc3339("2026-11-23T12:00:00.000+02:00"));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn parsed_times_can_be_formatted() {
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
