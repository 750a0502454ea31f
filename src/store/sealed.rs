//! Secrets as they are stored: sealed with a master key.

use crate::domain::Timestamp;

/// A secret under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which master key opens it.
    pub key_id: String,
    pub ciphertext: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct SealedSecrets {
    pub current: Sealed,
    /// With the moment at which it stops signing.
    pub previous: Option<(Sealed, Timestamp)>,
}
