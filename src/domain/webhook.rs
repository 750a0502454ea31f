//! Webhooks: destinations with a URL, a unique name, a secret and subscribed event types.

#[cfg(feature = "ssr")]
use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use url::Url;

use super::{
    EventTypes, Field, FieldErrors, Outcome, Principal, Timestamp, WebhookId,
    health::{FailureSeries, RecentAttempts},
    text::{InvalidLine, InvisibleCharacter, parse_line},
};
#[cfg(feature = "ssr")]
use super::{UrlVisibility, url_visibility};

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

/// Allowed schemes of destinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    HttpsOnly,
    /// Allows http too, for development and for receivers in private networks.
    HttpAllowed,
}

/// URL of a destination, normalized by the URL standard and without a fragment.
///
/// The host is not checked here. The guard checks the resolved addresses at every attempt.
///
/// The URL may contain a token, so it has no `Display`: [`Self::shown`] returns what a caller may see.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EndpointUrl(Url);

/// Error for an invalid URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    #[error("Enter a URL that starts with https://.")]
    NotHttps,
    #[error(
        "Remove the user name and password from the URL. Receivers authenticate calls by their signature."
    )]
    Credentials,
    #[error(
        "Use at most {} characters for the URL. Encoded, this URL has {length}.",
        EndpointUrl::MAX_LENGTH
    )]
    TooLong { length: usize },
}

impl EndpointUrl {
    /// Maximum length of the normalized URL, in which each character outside ASCII takes up to twelve.
    pub const MAX_LENGTH: usize = 2048;

    pub fn parse(text: &str, transport: Transport) -> Result<Self, InvalidUrl> {
        let mut url = Url::parse(text.trim()).map_err(|_| InvalidUrl::NotHttps)?;
        match (url.scheme(), transport) {
            ("https", _) | ("http", Transport::HttpAllowed) => {}
            _ => return Err(InvalidUrl::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidUrl::Credentials);
        }
        url.set_fragment(None);
        let length = url.as_str().len();
        if length > Self::MAX_LENGTH {
            return Err(InvalidUrl::TooLong { length });
        }
        Ok(Self(url))
    }

    /// Returns the whole URL, to store it and to call it.
    pub fn full(&self) -> &Url {
        &self.0
    }

    /// Returns the URL as a caller sees it.
    #[cfg(feature = "ssr")]
    pub fn shown(&self, visibility: UrlVisibility) -> String {
        match visibility {
            UrlVisibility::Full => self.0.to_string(),
            UrlVisibility::Shortened => url_visibility::shorten(&self.0),
        }
    }

    /// Removes what a caller must not see of the URL from the headers and the body of a response.
    #[cfg(feature = "ssr")]
    pub fn hide_in_response(
        &self,
        visibility: UrlVisibility,
        headers: &mut [(String, String)],
        body: &mut Vec<u8>,
    ) {
        if visibility == UrlVisibility::Full {
            return;
        }
        for text in headers.iter_mut().flat_map(|(name, value)| [name, value]) {
            if let Cow::Owned(hidden) = url_visibility::hide_in(&self.0, text) {
                *text = hidden;
            }
        }
        if let Cow::Owned(hidden) = url_visibility::hide_in(&self.0, &String::from_utf8_lossy(body)) {
            *body = hidden.into_bytes();
        }
    }

    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Debug for EndpointUrl {
    /// Writes only the origin, because logs must not contain tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointUrl({})", self.0.origin().ascii_serialization())
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
    fn url_must_be_https_unless_http_is_allowed() {
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
    fn rejects_credentials_and_drops_the_fragment() {
        let parse = |text| EndpointUrl::parse(text, Transport::HttpsOnly);
        assert_eq!(parse("https://me:pw@example.com/"), Err(InvalidUrl::Credentials));
        assert_eq!(parse("https://me@example.com/"), Err(InvalidUrl::Credentials));
        assert_eq!(
            parse(" https://Example.com/a#b ").unwrap().full().as_str(),
            "https://example.com/a"
        );
    }

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
    fn length_of_a_url_is_that_of_its_stored_form() {
        let parse =
            |path: &str| EndpointUrl::parse(&format!("https://a.example/{path}"), Transport::HttpsOnly);
        let room = EndpointUrl::MAX_LENGTH - "https://a.example/".len();
        for (letter, encoded) in [("a", 1), (" a", 4), ("é", 6), ("漢", 9), ("😀", 12), ("\"", 3)] {
            let longest = letter.repeat(room / encoded);
            let url = parse(&longest).unwrap();
            // Stored URLs are parsed again.
            assert_eq!(
                EndpointUrl::parse(url.full().as_str(), Transport::HttpsOnly),
                Ok(url)
            );
            let length = "https://a.example/".len() + longest.len() / letter.len() * encoded + encoded;
            assert_eq!(
                parse(&format!("{longest}{letter}")),
                Err(InvalidUrl::TooLong { length }),
                "{letter}"
            );
        }
        assert!(parse(&format!("a#{}", "b".repeat(5_000))).is_ok());
        assert!(parse(&"a/../".repeat(1_000)).is_ok());
        assert_eq!(
            parse(&"é".repeat(500)).unwrap_err().to_string(),
            "Use at most 2048 characters for the URL. Encoded, this URL has 3018."
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
