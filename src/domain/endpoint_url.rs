//! URLs that webhooks call.

#[cfg(feature = "ssr")]
use std::borrow::Cow;
use std::fmt;

use url::Url;

use super::text::{InvisibleCharacter, find_invisible, trim_invisible};
#[cfg(feature = "ssr")]
use super::{UrlVisibility, url_visibility};

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
    #[error("Correct the URL: {0}.")]
    Malformed(url::ParseError),
    #[error("Use a port from 1 to 65535 in the URL.")]
    Port,
    #[error("Remove the invisible character {0} from the URL.")]
    Invisible(InvisibleCharacter),
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

impl From<url::ParseError> for InvalidUrl {
    fn from(error: url::ParseError) -> Self {
        match error {
            url::ParseError::RelativeUrlWithoutBase | url::ParseError::EmptyHost => Self::NotHttps,
            url::ParseError::InvalidPort => Self::Port,
            error => Self::Malformed(error),
        }
    }
}

impl EndpointUrl {
    /// Maximum length of the normalized URL, in which each character outside ASCII takes up to twelve.
    pub const MAX_LENGTH: usize = 2048;

    pub fn parse(text: &str, transport: Transport) -> Result<Self, InvalidUrl> {
        let text = trim_invisible(text);
        let mut url = Url::parse(text)?;
        match (url.scheme(), transport) {
            ("https", _) | ("http", Transport::HttpAllowed) => {}
            _ => return Err(InvalidUrl::NotHttps),
        }
        if url.port() == Some(0) {
            return Err(InvalidUrl::Port);
        }
        if let Some(character) = find_invisible(text) {
            return Err(InvalidUrl::Invisible(character));
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
    fn error_names_the_wrong_part() {
        let error = |text: &str| {
            let parsed = EndpointUrl::parse(text, Transport::HttpsOnly);
            parsed.map(|url| url.full().to_string()).unwrap_err().to_string()
        };
        for (text, message) in [
            (
                "https://exa mple.com/",
                "Correct the URL: invalid international domain name.",
            ),
            ("https://1.2.3.400/", "Correct the URL: invalid IPv4 address."),
            ("https://[::g]/", "Correct the URL: invalid IPv6 address."),
            ("https://example.com:0/", "Use a port from 1 to 65535 in the URL."),
            (
                "https://example.com:65536/",
                "Use a port from 1 to 65535 in the URL.",
            ),
            ("https://example.com:x/", "Use a port from 1 to 65535 in the URL."),
            (
                "https://example.com/a\u{200b}b",
                "Remove the invisible character U+200B from the URL.",
            ),
            (
                "https://exam\u{ad}ple.com/",
                "Remove the invisible character U+00AD from the URL.",
            ),
        ] {
            assert_eq!(error(text), message, "{text:?}");
        }
    }

    #[test]
    fn spaces_and_invisible_characters_around_a_url_are_removed() {
        for text in [
            "\u{feff}https://example.com/a\r\n",
            "\u{200b}https://example.com/a\u{200b}",
            "\u{2068}https://example.com/a\u{2069}",
            "\u{a0}https://example.com/a \u{200e}",
            "https://example.com/a\u{2060}#b",
        ] {
            let url = EndpointUrl::parse(text, Transport::HttpsOnly);
            let expected = if text.contains('#') {
                Err(InvalidUrl::Invisible(find_invisible("\u{2060}").unwrap()))
            } else {
                EndpointUrl::parse("https://example.com/a", Transport::HttpsOnly)
            };
            assert_eq!(url, expected, "{text:?}");
        }
        let persian = "https://example.com/می\u{200c}خواهم";
        assert!(EndpointUrl::parse(persian, Transport::HttpsOnly).is_ok());
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
}
