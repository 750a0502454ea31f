//! Name and expiry of a new API key.

use std::fmt;

#[cfg(feature = "ssr")]
use super::Timestamp;
use super::{
    text::InvisibleCharacter,
    webhook_name::{InvalidName, WebhookName},
};

/// Name of an API key. Unique among the account's active keys, with the same rules as a [`WebhookName`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName(WebhookName);

/// Error for an invalid name of an API key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKeyName {
    #[error("Enter a name for the key.")]
    Empty,
    #[error("Use at most {} characters for the name.", WebhookName::MAX_LENGTH)]
    TooLong,
    #[error("Remove line breaks and other control characters from the name.")]
    ControlCharacters,
    #[error("Remove the invisible character {0} from the name.")]
    Invisible(InvisibleCharacter),
}

impl KeyName {
    pub fn parse(text: &str) -> Result<Self, InvalidKeyName> {
        WebhookName::parse(text).map(Self).map_err(|error| match error {
            InvalidName::Empty => InvalidKeyName::Empty,
            InvalidName::TooLong => InvalidKeyName::TooLong,
            InvalidName::ControlCharacters => InvalidKeyName::ControlCharacters,
            InvalidName::Invisible(character) => InvalidKeyName::Invisible(character),
        })
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns the error message for a name that an active key already has.
    pub fn taken_message(&self) -> String {
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

/// Expiry of an API key, as chosen in the form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Expiry {
    #[default]
    Never,
    Days(u32),
    /// End of a given day in UTC.
    Date,
}

/// Error for an invalid expiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpiry {
    #[error("Choose when the key expires.")]
    Unknown,
    #[error("Enter a date.")]
    NoDate,
    #[error("Choose today or a later day.")]
    Past,
}

impl Expiry {
    pub const OPTIONS: [Self; 5] = [
        Self::Never,
        Self::Days(30),
        Self::Days(90),
        Self::Days(365),
        Self::Date,
    ];

    /// Returns the value of the form field.
    pub fn value(self) -> String {
        match self {
            Self::Never => "never".to_owned(),
            Self::Days(days) => format!("{days}d"),
            Self::Date => "date".to_owned(),
        }
    }

    pub fn parse(value: &str) -> Result<Self, InvalidExpiry> {
        let mut options = Self::OPTIONS.into_iter();
        options
            .find(|option| option.value() == value)
            .ok_or(InvalidExpiry::Unknown)
    }
}

#[cfg(feature = "ssr")]
impl Expiry {
    /// Returns the time at which the key expires. `date` has the format of a date field, such as `2026-11-23`.
    pub fn expires_at(self, date: &str, now: Timestamp) -> Result<Option<Timestamp>, InvalidExpiry> {
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
    fn key_expires_at_the_end_of_the_chosen_day() {
        let until = |date| Expiry::Date.expires_at(date, NOW);
        let today = until("2026-11-23").unwrap().unwrap();
        assert_eq!(today.rfc3339(), "2026-11-24T00:00:00.000Z");
        assert_eq!(until("2026-11-22"), Err(InvalidExpiry::Past));
        for invalid in ["", "tomorrow", "2026-02-30"] {
            assert_eq!(until(invalid), Err(InvalidExpiry::NoDate), "{invalid}");
        }
    }

    #[test]
    fn only_the_offered_options_are_valid() {
        for option in Expiry::OPTIONS {
            assert_eq!(Expiry::parse(&option.value()), Ok(option));
        }
        assert_eq!(Expiry::parse("31d"), Err(InvalidExpiry::Unknown));
        let in_90_days = Expiry::Days(90).expires_at("", NOW).unwrap().unwrap();
        assert_eq!(in_90_days.rfc3339(), "2027-02-21T10:00:00.000Z");
        assert_eq!(Expiry::Never.expires_at("", NOW), Ok(None));
    }
}
