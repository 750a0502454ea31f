//! What was done, by whom, to what, from where.

use std::{fmt, str::FromStr};

use super::{AuditId, Timestamp, place::InvalidPlace};

/// One line of the audit log, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    /// An email, or an API key's name.
    pub actor: String,
    /// `webhook.created`
    pub action: String,
    /// An id, or what else there is to name it by.
    pub subject: String,
    /// What people call it now, or called it last.
    pub subject_name: Option<String>,
    /// An address, or `command line`. `None`: from inside.
    pub address: Option<String>,
    /// A JSON object, in which `before` and `after` are the fields that an edit has changed.
    pub details: Option<String>,
    pub at: Timestamp,
}

impl AuditEntry {
    pub fn place(&self) -> AuditPlace {
        AuditPlace {
            at: self.at,
            id: self.id.clone(),
        }
    }
}

/// Where an entry stands among those of its account. As a cursor it is written `1795428000000.aud_1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace {
    pub at: Timestamp,
    pub id: AuditId,
}

impl fmt::Display for AuditPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_millis(), self.id)
    }
}

impl FromStr for AuditPlace {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (at, id) = text.split_once('.').ok_or(InvalidPlace)?;
        Ok(Self {
            at: Timestamp::from_millis(at.parse().map_err(|_| InvalidPlace)?),
            id: id.parse().map_err(|_| InvalidPlace)?,
        })
    }
}
