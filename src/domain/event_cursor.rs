//! Position of an event in the event log of its account.

use std::{fmt, str::FromStr};

use super::Timestamp;

/// Position in the event log, written as `1795428000000.17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventCursor {
    pub received_at: Timestamp,
    /// Key of the event in the database.
    pub key: i64,
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.received_at.as_millis(), self.key)
    }
}

/// Error for an invalid cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use the next_cursor of a previous response")]
pub struct InvalidCursor;

impl FromStr for EventCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (at, key) = text.split_once('.').ok_or(InvalidCursor)?;
        Ok(Self {
            received_at: Timestamp::from_millis(at.parse().map_err(|_| InvalidCursor)?),
            key: key.parse().map_err(|_| InvalidCursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_other_texts_are_rejected() {
        let cursor: EventCursor = "1795428000000.17".parse().unwrap();
        assert_eq!(cursor.to_string(), "1795428000000.17");
        for bad in ["", "17", "x.17", "1.", "1.evt_1", "1.2.3"] {
            assert_eq!(bad.parse::<EventCursor>(), Err(InvalidCursor), "{bad}");
        }
    }
}
