//! What a person may say of an API key when they make one.

use std::fmt;

#[cfg(feature = "ssr")]
use super::Timestamp;
use super::webhook::{InvalidName, WebhookName};

/// What people call a key: unique among the living ones of the account, by the same rule as a webhook's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(WebhookName);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyName {
    #[error("Enter a name for the key.")]
    Empty,
    #[error("Use at most {} characters for the name.", WebhookName::MAX_LENGTH)]
    TooLong,
    #[error("Remove line breaks and other control characters from the name.")]
    ControlCharacters,
}

impl KeyName {
    pub fn parse(text: &str) -> Result<Self, InvalidKeyName> {
        WebhookName::parse(text).map(Self).map_err(|error| match error {
            InvalidName::Empty => InvalidKeyName::Empty,
            InvalidName::TooLong => InvalidKeyName::TooLong,
            InvalidName::ControlCharacters => InvalidKeyName::ControlCharacters,
        })
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// What the form says when a living key has the name.
    pub fn taken(&self) -> String {
        format!(
            "A key named “{}” already exists. Revoke it first, or choose another name.",
            self.0
        )
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How long a key is to be good.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expiry {
    #[default]
    Never,
    Days(u32),
    /// Through a day that is chosen, in UTC.
    Date,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpiry {
    #[error("Choose when the key expires.")]
    Unknown,
    #[error("Enter a date.")]
    NoDate,
    #[error("Choose a day that is not over yet.")]
    Past,
}

impl Expiry {
    pub const OFFERED: [Self; 5] = [
        Self::Never,
        Self::Days(30),
        Self::Days(90),
        Self::Days(365),
        Self::Date,
    ];

    /// As a form posts it.
    pub fn value(self) -> String {
        match self {
            Self::Never => "never".to_owned(),
            Self::Days(days) => format!("{days}d"),
            Self::Date => "date".to_owned(),
        }
    }

    pub fn parse(value: &str) -> Result<Self, InvalidExpiry> {
        let offered = Self::OFFERED.into_iter();
        let mut offered = offered.filter(|offered| offered.value() == value);
        offered.next().ok_or(InvalidExpiry::Unknown)
    }
}

#[cfg(feature = "ssr")]
impl Expiry {
    /// The moment from which on the key is worth nothing. `date` is as the browser's field writes it.
    pub fn moment(self, date: &str, now: Timestamp) -> Result<Option<Timestamp>, InvalidExpiry> {
        const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);
        match self {
            Self::Never => Ok(None),
            Self::Days(days) => Ok(Some(now.plus(DAY * days))),
            Self::Date => {
                let start = Timestamp::parse_rfc3339(&format!("{}T00:00:00Z", date.trim()));
                let end = start.ok_or(InvalidExpiry::NoDate)?.plus(DAY);
                Some(end)
                    .filter(|end| *end > now)
                    .map(Some)
                    .ok_or(InvalidExpiry::Past)
            }
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    /// 2026-11-23T10:00:00Z
    const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

    #[test]
    fn a_key_is_good_through_the_day_that_was_chosen() {
        let until = |date| Expiry::Date.moment(date, NOW);
        let today = until("2026-11-23").unwrap().unwrap();
        assert_eq!(today.rfc3339(), "2026-11-24T00:00:00.000Z");
        assert_eq!(until("2026-11-22"), Err(InvalidExpiry::Past));
        for none in ["", "tomorrow", "2026-02-30"] {
            assert_eq!(until(none), Err(InvalidExpiry::NoDate), "{none}");
        }
    }

    #[test]
    fn what_is_offered_is_taken_and_nothing_else() {
        for offered in Expiry::OFFERED {
            assert_eq!(Expiry::parse(&offered.value()), Ok(offered));
        }
        assert_eq!(Expiry::parse("31d"), Err(InvalidExpiry::Unknown));
        let in_90_days = Expiry::Days(90).moment("", NOW).unwrap().unwrap();
        assert_eq!(in_90_days.rfc3339(), "2027-02-21T10:00:00.000Z");
        assert_eq!(Expiry::Never.moment("", NOW), Ok(None));
    }
}
