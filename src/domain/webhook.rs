//! A webhook: a destination with a URL, a unique name, a secret and the events it wants.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use url::Url;

use super::{EventTypes, Field, FieldErrors, Outcome, Principal, Timestamp, WebhookId};

/// A webhook as everyone with a role may see it: without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub name: WebhookName,
    pub url: EndpointUrl,
    pub events: EventTypes,
    pub status: WebhookStatus,
    pub disabled_reason: Option<DisabledReason>,
    /// Since when no attempt has succeeded, while that is so.
    pub failing_since: Option<Timestamp>,
    pub last_attempt: Option<LastAttempt>,
    /// Counts the saves; a save names the version it was based on, so that nobody overwrites another unseen.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Who saved it last.
    pub updated_by: Principal,
    /// Until when the secret before the last rotation signs too.
    pub previous_secret_until: Option<Timestamp>,
}

/// What the list shows of the newest attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastAttempt {
    pub at: Timestamp,
    pub outcome: Outcome,
}

/// Where a webhook stands, in the order in which one would want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum WebhookStatus {
    /// Every new event that it wants is sent.
    Active,
    /// Sent as well, but the newest attempts did not succeed.
    Failing,
    /// Somebody paused it: its events are held until it is resumed.
    Paused,
    /// It asked for no more, or failed for too long: nothing is sent or held.
    Disabled,
}

impl WebhookStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Why a webhook is disabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum DisabledReason {
    /// The receiver answered 410 Gone.
    Gone,
    /// No attempt succeeded for [`super::failing::AT_MOST`].
    Failing,
}

impl DisabledReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Which schemes a destination may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    HttpsOnly,
    /// For development, and for receivers in one's own network.
    HttpAllowed,
}

/// A destination's URL, normalised as browsers do; the fragment, which no server ever sees, is cut off.
///
/// This says nothing yet about *where* it points: that is judged at every attempt, from the resolved addresses.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl(Url);

/// Why a text is no destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    #[error("Enter a URL that starts with https://.")]
    NotHttps,
    #[error(
        "Remove the user name and password from the URL: the signature is what proves that a call is ours."
    )]
    Credentials,
    #[error("Use at most {} characters for the URL.", EndpointUrl::MAX_LENGTH)]
    TooLong,
}

impl EndpointUrl {
    pub const MAX_LENGTH: usize = 2048;

    pub fn parse(text: &str, transport: Transport) -> Result<Self, InvalidUrl> {
        let text = text.trim();
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidUrl::TooLong);
        }
        let mut url = Url::parse(text).map_err(|_| InvalidUrl::NotHttps)?;
        match (url.scheme(), transport) {
            ("https", _) | ("http", Transport::HttpAllowed) => {}
            _ => return Err(InvalidUrl::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Credentials);
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    pub fn as_url(&self) -> &Url {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What people call a webhook: unique in the account, 1 to 100 characters, no line breaks or other controls.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookName(String);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("Enter a name for the webhook.")]
    Empty,
    #[error("Use at most {} characters for the name.", WebhookName::MAX_LENGTH)]
    TooLong,
    #[error("Remove line breaks and other control characters from the name.")]
    ControlCharacters,
}

impl WebhookName {
    pub const MAX_LENGTH: usize = 100;

    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidName::TooLong);
        }
        // Bidirectional overrides would let one name pass for another on the screen.
        let confusing =
            |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if text.chars().any(confusing) {
            return Err(InvalidName::ControlCharacters);
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the form and the API say when the name is already in use.
    pub fn taken(&self) -> String {
        format!("A webhook named “{}” already exists.", self.0)
    }
}

impl fmt::Display for WebhookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The fields that a save replaces together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    pub url: EndpointUrl,
    pub name: WebhookName,
    pub events: EventTypes,
}

impl WebhookSettings {
    /// Parses the three fields, and reports all that is wrong with them at once.
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
    fn a_url_must_be_https_unless_http_is_allowed() {
        let parse = EndpointUrl::parse;
        assert!(parse("https://example.com/hook?a=1", Transport::HttpsOnly).is_ok());
        assert!(parse("http://example.com", Transport::HttpAllowed).is_ok());
        for bad in [
            "http://example.com",
            "example.com",
            "",
            "ftp://example.com",
            "https://",
            "javascript:alert(1)",
        ] {
            assert_eq!(
                parse(bad, Transport::HttpsOnly),
                Err(InvalidUrl::NotHttps),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn credentials_are_refused_and_the_fragment_is_dropped() {
        let parse = |text| EndpointUrl::parse(text, Transport::HttpsOnly);
        assert_eq!(parse("https://me:pw@example.com/"), Err(InvalidUrl::Credentials));
        assert_eq!(parse("https://me@example.com/"), Err(InvalidUrl::Credentials));
        assert_eq!(
            parse(" https://Example.com/a#b ").unwrap().as_str(),
            "https://example.com/a"
        );
    }

    #[test]
    fn a_name_is_trimmed_and_bounded_in_characters() {
        assert_eq!(
            WebhookName::parse("  Orders → CRM ").unwrap().as_str(),
            "Orders → CRM"
        );
        assert_eq!(WebhookName::parse(" \t"), Err(InvalidName::Empty));
        assert!(WebhookName::parse(&"é".repeat(100)).is_ok());
        assert_eq!(WebhookName::parse(&"é".repeat(101)), Err(InvalidName::TooLong));
        assert_eq!(
            WebhookName::parse("a\u{202e}b"),
            Err(InvalidName::ControlCharacters)
        );
    }

    #[test]
    fn every_refused_field_is_reported_in_the_order_of_the_form() {
        let mut errors = FieldErrors::default();
        assert!(WebhookSettings::parse("x", "", [], Transport::HttpsOnly, &mut errors).is_none());
        let fields: Vec<_> = errors.iter().map(|(field, _)| field).collect();
        assert_eq!(fields, [Field::Url, Field::Name, Field::Events]);
    }
}
