//! Secrets that are encrypted with a master key.

use crate::domain::Timestamp;

/// An encrypted secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Id of the master key.
    pub key_id: String,
    pub ciphertext: Vec<u8>,
}

impl Sealed {
    /// Reads a pair of columns.
    pub(super) fn from_columns(ciphertext: Option<Vec<u8>>, key_id: Option<String>) -> Option<Self> {
        Some(Self {
            key_id: key_id?,
            ciphertext: ciphertext?,
        })
    }
}

#[derive(Debug, Clone)]
pub struct SealedSecrets {
    pub current: Sealed,
    /// The previous secret and the time at which it stops signing.
    pub previous: Option<(Sealed, Timestamp)>,
    /// Values of the custom headers.
    pub headers: Option<Sealed>,
}
