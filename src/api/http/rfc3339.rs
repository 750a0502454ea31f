//! Times, as JSON and queries have them.

use serde::{Deserialize, Serialize, Serializer};

use crate::domain::Timestamp;

/// Written as `2026-11-23T10:00:00.000Z`, read from any RFC 3339 text.
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
        let moment = Timestamp::parse_rfc3339(&text);
        moment.map(Self).ok_or("write times like 2026-11-23T10:00:00Z")
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.rfc3339())
    }
}
