//! What stands in the queries of lists.

use serde::Deserialize;

use crate::domain::Timestamp;

/// A moment in a query.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Moment(pub(super) Timestamp);

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let moment = Timestamp::parse_rfc3339(&text);
        moment.map(Self).ok_or("write moments like 2026-11-23T10:00:00Z")
    }
}
