//! Optional settings of a webhook: how fast, how long and how often its receiver is called, and a description.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use serde::Serialize;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{
    RetrySchedule,
    text::{InvisibleCharacter, find_invisible, normalize},
};

/// Text of 1 to 500 characters about the purpose of a webhook, in Unicode normalization form C. It may have several
/// lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Description(String);

/// Error for an invalid description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDescription {
    #[error("Use at most {} characters for the description.", Description::MAX_LENGTH)]
    TooLong,
    #[error("Remove control characters from the description.")]
    ControlCharacters,
    #[error("Remove the invisible character {0} from the description.")]
    Invisible(InvisibleCharacter),
}

impl Description {
    pub const MAX_LENGTH: usize = 500;

    /// Parses a description. A blank text is none.
    pub fn parse(text: &str) -> Result<Option<Self>, InvalidDescription> {
        // Browsers send line breaks as CR LF.
        let text = normalize(text.trim()).replace("\r\n", "\n");
        if text.is_empty() {
            return Ok(None);
        }
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidDescription::TooLong);
        }
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            return Err(InvalidDescription::ControlCharacters);
        }
        match find_invisible(&text) {
            Some(character) => Err(InvalidDescription::Invisible(character)),
            None => Ok(Some(Self(text))),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole number within bounds.
macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($low:literal..=$high:literal), $error:ident, $message:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(into = "i64")]
        pub struct $name(u16);

        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        pub struct $error;

        impl $name {
            pub fn get(self) -> u16 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = $error;

            fn try_from(number: i64) -> Result<Self, $error> {
                let number = u16::try_from(number).map_err(|_| $error)?;
                ($low..=$high).contains(&number).then_some(Self(number)).ok_or($error)
            }
        }

        impl From<$name> for i64 {
            fn from(value: $name) -> Self {
                Self::from(value.0)
            }
        }

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                text.trim().parse::<i64>().map_err(|_| $error)?.try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

bounded! {
    /// Maximum number of calls per second.
    RateLimit(1..=1000), InvalidRateLimit, "Use a rate limit from 1 to 1,000 calls per second."
}

bounded! {
    /// Timeout of an attempt, in seconds.
    TimeoutSeconds(1..=30), InvalidTimeout, "Use a timeout from 1 to 30 seconds."
}

impl RateLimit {
    /// Returns the time between two calls.
    pub fn interval(self) -> Duration {
        Duration::from_secs(1) / u32::from(self.0)
    }
}

impl TimeoutSeconds {
    /// The longest timeout.
    pub const MAX: Duration = Duration::from_secs(30);

    pub fn duration(self) -> Duration {
        Duration::from_secs(self.0.into())
    }
}

/// Retry schedule of a webhook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[derive(Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Retries {
    /// The schedule of the server.
    #[default]
    Standard,
    /// Five attempts within an hour.
    Short,
    /// One attempt.
    None,
}

/// Error for an unknown retry schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Use standard, short or none for retries.")]
pub struct InvalidRetries;

impl Retries {
    pub fn parse(text: &str) -> Result<Self, InvalidRetries> {
        text.trim().parse().map_err(|_| InvalidRetries)
    }

    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Delays of [`Retries::Short`]: with the largest jitter, the last attempt is 58 min after the first.
    const SHORT: [u64; 4] = [5, 2 * 60, 10 * 60, 40 * 60];

    /// Returns the schedule, which is that of the server for [`Retries::Standard`].
    pub fn schedule(self, standard: &RetrySchedule) -> Cow<'_, RetrySchedule> {
        match self {
            Self::Standard => Cow::Borrowed(standard),
            Self::Short => Cow::Owned(RetrySchedule::new(Self::SHORT.map(Duration::from_secs).to_vec())),
            Self::None => Cow::Owned(RetrySchedule::new(Vec::new())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::retry::JITTER;

    #[test]
    fn description_is_optional_and_limited_in_characters() {
        let parse = |text: &str| Description::parse(text).map(|description| description.map(|text| text.0));
        for (text, stored) in [
            ("", None),
            (" \r\n", None),
            (" Orders → CRM\r\nOwner: Zoë ", Some("Orders → CRM\nOwner: Zoë")),
            ("Cafe\u{301}", Some("Café")),
        ] {
            assert_eq!(parse(text), Ok(stored.map(str::to_owned)), "{text:?}");
        }
        assert!(parse(&"é".repeat(500)).is_ok());
        assert_eq!(parse(&"é".repeat(501)), Err(InvalidDescription::TooLong));
        assert_eq!(parse("a\0b"), Err(InvalidDescription::ControlCharacters));
        assert!(matches!(
            parse("a\u{202e}b"),
            Err(InvalidDescription::Invisible(_))
        ));
    }

    #[test]
    fn numbers_are_whole_and_within_their_bounds() {
        for (text, expected) in [("1", Ok(1)), (" 1000 ", Ok(1000)), ("250", Ok(250))] {
            assert_eq!(text.parse().map(RateLimit::get), expected);
        }
        for text in [
            "",
            "0",
            "-1",
            "1001",
            "65537",
            "1.5",
            "1e2",
            "ten",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<RateLimit>(), Err(InvalidRateLimit), "{text}");
            assert_eq!(text.parse::<TimeoutSeconds>(), Err(InvalidTimeout), "{text}");
        }
        assert_eq!("31".parse::<TimeoutSeconds>(), Err(InvalidTimeout));
        let timeout: TimeoutSeconds = "30".parse().unwrap();
        assert_eq!(timeout.duration(), Duration::from_secs(30));
    }

    #[test]
    fn short_schedule_ends_within_an_hour() {
        let standard = RetrySchedule::default();
        assert_eq!(*Retries::Standard.schedule(&standard), standard);
        assert_eq!(Retries::None.schedule(&standard).attempts(), 1);
        let short = Retries::Short.schedule(&standard);
        assert_eq!(short.attempts(), 5);
        let total: Duration = short.delays().iter().sum();
        assert!(
            total.mul_f64(1.0 + JITTER) < Duration::from_secs(3600),
            "{total:?}"
        );
    }
}
