//! Where an event stands among those of its account, by age.

use std::{fmt, str::FromStr};

use super::Timestamp;

/// As a cursor it is written `1795428000000.17`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub received_at: Timestamp,
    /// The event's key in the database.
    pub key: i64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.received_at.as_millis(), self.key)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use the next_cursor of an answer")]
pub struct InvalidPlace;

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (at, key) = text.split_once('.').ok_or(InvalidPlace)?;
        Ok(Self {
            received_at: Timestamp::from_millis(at.parse().map_err(|_| InvalidPlace)?),
            key: key.parse().map_err(|_| InvalidPlace)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip_and_nothing_else_is_one() {
        let place: Place = "1795428000000.17".parse().unwrap();
        assert_eq!(place.to_string(), "1795428000000.17");
        for bad in ["", "17", "x.17", "1.", "1.evt_1", "1.2.3"] {
            assert_eq!(bad.parse::<Place>(), Err(InvalidPlace), "{bad}");
        }
    }
}
