//! Paths into the data of an event.

use std::{fmt, str::FromStr};

/// The path of a field, such as `sentiment.score` or `tags.0`. A number addresses an element of an array, or a field
/// with that name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(String);

/// Error for an invalid path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    #[error("Enter a field, such as sentiment.score.")]
    Empty,
    #[error("Use at most {} characters for a field.", FieldPath::MAX_LENGTH)]
    TooLong,
    #[error("Use at most {} levels for a field.", FieldPath::MAX_DEPTH)]
    TooDeep,
    #[error("Remove empty names from the field {0}: names are separated by one dot.")]
    EmptyName(String),
}

impl FieldPath {
    pub const MAX_LENGTH: usize = 200;
    pub const MAX_DEPTH: usize = 10;

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }
}

impl FromStr for FieldPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        if text.is_empty() {
            return Err(InvalidPath::Empty);
        }
        if text.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidPath::TooLong);
        }
        if text.split('.').any(str::is_empty) {
            return Err(InvalidPath::EmptyName(text.to_owned()));
        }
        if text.split('.').count() > Self::MAX_DEPTH {
            return Err(InvalidPath::TooDeep);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
