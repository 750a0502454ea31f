//! Webhooks: destinations with a URL, a unique name, a secret and subscribed event types.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{
    EndpointUrl, EventTypes, Field, FieldErrors, Outcome, Principal, Timestamp, Transport, WebhookId,
    health::{FailureSeries, RecentAttempts},
    text::{InvalidLine, InvisibleCharacter, parse_line},
};

/// Webhook without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub name: WebhookName,
    pub url: EndpointUrl,
    pub events: EventTypes,
    pub status: WebhookStatus,
    pub disabled_reason: Option<DisabledReason>,
    /// The failures since the last success. Set only if the status is [`WebhookStatus::Failing`].
    pub failing: Option<FailureSeries>,
    pub recent_attempts: RecentAttempts,
    pub last_attempt: Option<LastAttempt>,
    /// Number of saves. A save specifies the version it is based on, so that it cannot silently overwrite another one.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Principal of the last save.
    pub updated_by: Principal,
    /// Time until which the previous secret also signs, after a rotation.
    pub previous_secret_until: Option<Timestamp>,
}

/// Newest attempt, as the list of webhooks shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    pub at: Timestamp,
    pub outcome: Outcome,
}

/// Status of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum WebhookStatus {
    /// Events are sent.
    Active,
    /// Events are sent, but some recent attempts failed. See [`super::health::Health`].
    Degraded,
    /// Events are sent, but no attempt has succeeded for a while.
    Failing,
    /// Events are held until a user resumes the webhook.
    Paused,
    /// Events are neither sent nor held. See [`DisabledReason`].
    Disabled,
}

impl WebhookStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Reason a webhook is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum DisabledReason {
    /// The receiver responded with 410 Gone.
    Gone,
    /// No attempt succeeded for [`super::health::DISABLE_AFTER`], and several failed on several days.
    Failing,
}

impl DisabledReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Name of a webhook: a line of 1 to 100 characters, unique in the account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookName(String);

/// Error for an invalid name of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("Enter a name for the webhook.")]
    Empty,
    #[error("Use at most {} characters for the name.", WebhookName::MAX_LENGTH)]
    TooLong,
    #[error("Remove line breaks and other control characters from the name.")]
    ControlCharacters,
    #[error("Remove the invisible character {0} from the name.")]
    Invisible(InvisibleCharacter),
}

impl From<InvalidLine> for InvalidName {
    fn from(error: InvalidLine) -> Self {
        match error {
            InvalidLine::Empty => Self::Empty,
            InvalidLine::Control => Self::ControlCharacters,
            InvalidLine::Invisible(character) => Self::Invisible(character),
        }
    }
}

impl WebhookName {
    pub const MAX_LENGTH: usize = 100;

    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let name = parse_line(text)?;
        if name.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidName::TooLong);
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the error message for a name that is already in use.
    pub fn taken_message(&self) -> String {
        format!("A webhook named “{}” already exists.", self.0)
    }
}

impl fmt::Display for WebhookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Fields that a save replaces together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    pub url: EndpointUrl,
    pub name: WebhookName,
    pub events: EventTypes,
}

impl WebhookSettings {
    /// Parses the three fields and adds an error for each invalid one.
    pub fn parse<'a>(
        url: &str,
        name: &str,
        events: impl IntoIterator<Item = &'a str>,
        transport: Transport,
        errors: &mut FieldErrors,
    ) -> Option<Self> {
        let url = errors.keep(Field::Url, EndpointUrl::parse(url, transport));
        let name = errors.keep(Field::Name, WebhookName::parse(name));
        let events = errors.keep(Field::Events, EventTypes::parse(events));
        Some(Self {
            url: url?,
            name: name?,
            events: events?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_trimmed_and_limited_in_characters() {
        assert_eq!(
            WebhookName::parse("  Orders → CRM ").unwrap().as_str(),
            "Orders → CRM"
        );
        assert_eq!(WebhookName::parse(" \t"), Err(InvalidName::Empty));
        assert!(WebhookName::parse(&"é".repeat(100)).is_ok());
        assert_eq!(WebhookName::parse(&"é".repeat(101)), Err(InvalidName::TooLong));
        assert_eq!(WebhookName::parse("a\nb"), Err(InvalidName::ControlCharacters));
        // Counted as it is stored.
        assert!(WebhookName::parse(&"e\u{301}".repeat(100)).is_ok());
        let error = WebhookName::parse("a\u{200b}b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Remove the invisible character U+200B from the name."
        );
    }

    #[test]
    fn errors_are_reported_in_the_order_of_the_form() {
        let mut errors = FieldErrors::default();
        assert!(WebhookSettings::parse("x", "", [], Transport::HttpsOnly, &mut errors).is_none());
        let fields: Vec<_> = errors.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [Field::Url, Field::Name, Field::Events]);
    }
}
