//! Secrets that are encrypted with a master key.

use crate::domain::Timestamp;

/// An encrypted secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Id of the master key.
    pub key_id: String,
    pub ciphertext: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct SealedSecrets {
    pub current: Sealed,
    /// The previous secret and the time at which it stops signing.
    pub previous: Option<(Sealed, Timestamp)>,
}
