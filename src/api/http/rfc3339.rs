//! Timestamps in JSON and query parameters.

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::Timestamp;

/// A timestamp that serializes as `2026-11-23T10:00:00.000Z` and parses any RFC 3339 text.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Rfc3339(pub(crate) Timestamp);

impl From<Timestamp> for Rfc3339 {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl TryFrom<String> for Rfc3339 {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let at = Timestamp::parse_rfc3339(&text);
        at.map(Self)
            .ok_or("use an RFC 3339 time such as 2026-11-23T10:00:00Z")
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}
