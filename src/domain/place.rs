//! Where an event stands among those of its account, by age.

use std::{fmt, str::FromStr};

use super::{EventId, Timestamp};

/// As a cursor it is written `1795428000000.evt_1`: no id holds a dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub received_at: Timestamp,
    pub id: EventId,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.received_at.as_millis(), self.id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use the next_cursor of an answer")]
pub struct InvalidPlace;

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (at, id) = text.split_once('.').ok_or(InvalidPlace)?;
        Ok(Self {
            received_at: Timestamp::from_millis(at.parse().map_err(|_| InvalidPlace)?),
            id: id.parse().map_err(|_| InvalidPlace)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_round_trip_and_nothing_else_is_one() {
        let place: Place = "1795428000000.evt_1".parse().unwrap();
        assert_eq!(place.to_string(), "1795428000000.evt_1");
        for bad in ["", "evt_1", "x.evt_1", "1.", "1.a.b"] {
            assert_eq!(bad.parse::<Place>(), Err(InvalidPlace), "{bad}");
        }
    }
}
