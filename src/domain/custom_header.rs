//! Headers that a webhook adds to its requests, such as `Authorization`.

use std::fmt;

use http::header::HeaderName;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

/// The headers of a webhook, sorted by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomHeaders(Vec<(CustomHeaderName, CustomHeaderValue)>);

/// Name of a custom header, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CustomHeaderName(String);

/// Value of a custom header. It may be a credential, so it is neither displayed nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomHeaderValue(Zeroizing<String>);

/// Error for invalid headers. No message contains a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    #[error("Enter a name for each header.")]
    EmptyName,
    #[error("“{0}” is not a header name: use letters, digits and hyphens.")]
    Name(String),
    #[error("Remove the header {0}: {reason}.", reason = reserved_reason(.0))]
    Reserved(String),
    #[error("Remove one of the headers {0}: names must differ, also in more than case.")]
    Repeated(String),
    #[error("Enter a value for the header {0}.")]
    EmptyValue(String),
    #[error("Remove line breaks and other control characters from the value of the header {0}.")]
    ControlCharacters(String),
    #[error("Use at most {} headers.", CustomHeaders::MAX_COUNT)]
    TooMany,
    #[error(
        "Use at most {} bytes for all headers together. These have {size}.",
        CustomHeaders::MAX_SIZE
    )]
    TooLarge { size: usize },
}

/// The names of a webhook's headers, sorted. Serialized as in the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderNames(Vec<CustomHeaderName>);

impl HeaderNames {
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidHeader> {
        let names = names.into_iter().map(CustomHeaderName::parse);
        names.collect::<Result<_, _>>().map(Self)
    }

    pub fn iter(&self) -> std::slice::Iter<'_, CustomHeaderName> {
        self.0.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for HeaderNames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|name| SetHeader {
            name: name.as_str(),
            set: true,
        }))
    }
}

#[derive(Serialize)]
struct SetHeader<'a> {
    name: &'a str,
    set: bool,
}

/// A header of a save, not yet validated.
#[derive(Clone)]
pub struct HeaderDraft {
    pub name: String,
    /// `None` keeps the saved value.
    pub value: Option<Zeroizing<String>>,
}

impl HeaderDraft {
    pub fn new(name: impl Into<String>, value: &str) -> Self {
        Self {
            name: name.into(),
            value: Some(Zeroizing::new(value.to_owned())),
        }
    }

    /// Keeps the saved value.
    pub fn kept(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: None,
        }
    }
}

impl HeaderDraft {
    /// Returns the name, and whether there is a new value.
    pub fn in_words(&self) -> String {
        let name = self.name.trim().trim_end_matches(':').to_ascii_lowercase();
        match self.value {
            None => name,
            Some(_) => format!("{name} (new value)"),
        }
    }
}

/// The headers of a save: each with a new value, or with the saved one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderChanges(Vec<(CustomHeaderName, Option<CustomHeaderValue>)>);

impl HeaderChanges {
    pub fn parse(drafts: &[HeaderDraft]) -> Result<Self, InvalidHeader> {
        let parse = |draft: &HeaderDraft| {
            let name = CustomHeaderName::parse(&draft.name)?;
            let value = match &draft.value {
                Some(text) => Some(CustomHeaderValue::parse(&name, text)?),
                None => None,
            };
            Ok((name, value))
        };
        let mut headers: Vec<_> = drafts.iter().map(parse).collect::<Result<_, _>>()?;
        sort_unique(&mut headers)?;
        Ok(Self(headers))
    }

    pub fn names(&self) -> HeaderNames {
        HeaderNames(self.0.iter().map(|(name, _)| name.clone()).collect())
    }

    /// Returns the names of the headers with new values.
    pub fn replaced(&self) -> Vec<&str> {
        let new = self.0.iter().filter(|(_, value)| value.is_some());
        new.map(|(name, _)| name.as_str()).collect()
    }

    /// Combines the new values with the saved ones.
    pub fn apply(self, saved: &CustomHeaders) -> Result<CustomHeaders, InvalidHeader> {
        let with_value = |(name, value): (CustomHeaderName, Option<CustomHeaderValue>)| {
            let value = value.or_else(|| saved.get(&name).cloned());
            match value {
                Some(value) => Ok((name, value)),
                None => Err(InvalidHeader::EmptyValue(name.to_string())),
            }
        };
        CustomHeaders::new(self.0.into_iter().map(with_value).collect::<Result<_, _>>()?)
    }
}

/// Sorts headers by name. Fails if there are too many or two have the same name.
fn sort_unique<T>(headers: &mut [(CustomHeaderName, T)]) -> Result<(), InvalidHeader> {
    if headers.len() > CustomHeaders::MAX_COUNT {
        return Err(InvalidHeader::TooMany);
    }
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    match headers.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(InvalidHeader::Repeated(pair[0].0.to_string())),
        None => Ok(()),
    }
}

/// Names that the sender or the HTTP connection sets. Also all that start with `webhook-` or `content-`.
const RESERVED: [&str; 16] = [
    "accept-encoding",
    "connection",
    "date",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
];

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("webhook-") || name.starts_with("content-")
}

fn reserved_reason(name: &str) -> &'static str {
    if name.starts_with("webhook-") {
        "receivers verify the signature by headers that start with webhook-"
    } else {
        "Caleida or the connection sets it"
    }
}

impl CustomHeaders {
    pub const MAX_COUNT: usize = 10;
    /// Maximum size of all names and values, in bytes.
    pub const MAX_SIZE: usize = 4096;

    /// Creates the headers of a webhook.
    pub fn new(mut headers: Vec<(CustomHeaderName, CustomHeaderValue)>) -> Result<Self, InvalidHeader> {
        sort_unique(&mut headers)?;
        let size = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.expose().len())
            .sum();
        if size > Self::MAX_SIZE {
            return Err(InvalidHeader::TooLarge { size });
        }
        Ok(Self(headers))
    }

    pub fn iter(&self) -> impl Iterator<Item = (&CustomHeaderName, &CustomHeaderValue)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn get(&self, name: &CustomHeaderName) -> Option<&CustomHeaderValue> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value)
    }

    /// Returns the headers as text, to seal it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let lines = self
            .iter()
            .map(|(name, value)| format!("{name}: {}\n", value.expose()));
        Zeroizing::new(lines.collect())
    }

    /// Parses the text of [`Self::to_text`].
    pub fn parse_text(text: &str) -> Result<Self, InvalidHeader> {
        let parse = |line: &str| {
            let (name, value) = line.split_once(':').ok_or(InvalidHeader::EmptyName)?;
            let name = CustomHeaderName::parse(name)?;
            let value = CustomHeaderValue::parse(&name, value)?;
            Ok((name, value))
        };
        Self::new(text.lines().map(parse).collect::<Result<_, _>>()?)
    }
}

impl CustomHeaderName {
    pub fn parse(text: &str) -> Result<Self, InvalidHeader> {
        // A colon at the end is a common slip.
        let text = text.trim().trim_end_matches(':').trim_end();
        if text.is_empty() {
            return Err(InvalidHeader::EmptyName);
        }
        let name =
            HeaderName::from_bytes(text.as_bytes()).map_err(|_| InvalidHeader::Name(text.to_owned()))?;
        if is_reserved(name.as_str()) {
            return Err(InvalidHeader::Reserved(name.as_str().to_owned()));
        }
        Ok(Self(name.as_str().to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CustomHeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl CustomHeaderValue {
    /// Parses a value: a line of visible characters, spaces and tabs, without spaces around it. Sent as UTF-8.
    pub fn parse(name: &CustomHeaderName, text: &str) -> Result<Self, InvalidHeader> {
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.is_empty() {
            return Err(InvalidHeader::EmptyValue(name.to_string()));
        }
        if text.chars().any(|c| c.is_control() && c != '\t') {
            return Err(InvalidHeader::ControlCharacters(name.to_string()));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Returns the value, to seal it or to send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CustomHeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomHeaderValue(…)")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> Result<CustomHeaders, InvalidHeader> {
        let parse = |(name, value): &(&str, &str)| {
            let name = CustomHeaderName::parse(name)?;
            let value = CustomHeaderValue::parse(&name, value)?;
            Ok((name, value))
        };
        CustomHeaders::new(pairs.iter().map(parse).collect::<Result<_, _>>()?)
    }

    #[test]
    fn headers_are_sorted_and_can_be_sent() {
        let headers = headers(&[
            ("X-Tenant", " Zürich 🏔 "),
            (" Authorization: ", "Bearer a.b-c_d=="),
            ("x_custom~1", "a\tb"),
        ])
        .unwrap();
        let pairs: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("authorization", "Bearer a.b-c_d=="),
                ("x-tenant", "Zürich 🏔"),
                ("x_custom~1", "a\tb")
            ]
        );
        for (_, value) in pairs {
            assert!(HeaderValue::from_bytes(value.as_bytes()).is_ok(), "{value}");
        }
    }

    #[test]
    fn invalid_headers_are_named_without_their_values() {
        for (pair, message) in [
            (("", "secret"), "Enter a name for each header."),
            (
                ("a b", "secret"),
                "“a b” is not a header name: use letters, digits and hyphens.",
            ),
            (
                ("größe", "secret"),
                "“größe” is not a header name: use letters, digits and hyphens.",
            ),
            (
                ("Host", "secret"),
                "Remove the header host: Caleida or the connection sets it.",
            ),
            (
                ("Webhook-Anything", "secret"),
                "Remove the header webhook-anything: receivers verify the signature by headers that start with webhook-.",
            ),
            (
                ("CONTENT-TYPE", "secret"),
                "Remove the header content-type: Caleida or the connection sets it.",
            ),
            (
                ("Content-Length", "secret"),
                "Remove the header content-length: Caleida or the connection sets it.",
            ),
            (
                ("Transfer-Encoding", "secret"),
                "Remove the header transfer-encoding: Caleida or the connection sets it.",
            ),
            (
                ("TE", "secret"),
                "Remove the header te: Caleida or the connection sets it.",
            ),
            (("x-a", " \t"), "Enter a value for the header x-a."),
            (
                ("x-a", "secret\r\nHost: evil"),
                "Remove line breaks and other control characters from the value of the header x-a.",
            ),
            (
                ("x-a", "secret\0"),
                "Remove line breaks and other control characters from the value of the header x-a.",
            ),
            (
                ("x-a", "secret\u{85}"),
                "Remove line breaks and other control characters from the value of the header x-a.",
            ),
        ] {
            let error = headers(&[pair]).unwrap_err().to_string();
            assert_eq!(error, message, "{pair:?}");
            assert!(!error.contains("secret") && !format!("{:?}", headers(&[pair])).contains("secret"));
        }
        assert_eq!(
            headers(&[("X-A", "1"), ("x-a", "2")]),
            Err(InvalidHeader::Repeated("x-a".to_owned()))
        );
        let eleven: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]
            .map(|name| (name, "1"))
            .into();
        assert_eq!(headers(&eleven), Err(InvalidHeader::TooMany));
        assert!(headers(&eleven[1..]).is_ok());
        let longest = "x".repeat(CustomHeaders::MAX_SIZE - 1);
        assert!(headers(&[("a", &longest)]).is_ok());
        assert_eq!(
            headers(&[("ab", &longest)]),
            Err(InvalidHeader::TooLarge { size: 4097 })
        );
        assert!(!format!("{:?}", headers(&[("a", "secret")])).contains("secret"));
    }
}
