//! Encrypted secrets during the rotation of a master key.

use super::{Change, Sealed};
use crate::domain::{AccountId, ProcessId, WebhookId};

/// A webhook with a secret or headers that another master key has sealed.
#[derive(Debug, Clone)]
pub struct SealedWithOtherKey {
    pub account_id: AccountId,
    pub webhook_id: WebhookId,
    pub current: Sealed,
    pub previous: Option<Sealed>,
    pub headers: Option<Sealed>,
}

/// Secrets of a webhook that were sealed again with another master key.
#[derive(Debug, Clone)]
pub struct ResealedSecrets {
    pub change: Change,
    pub current: SecretReplacement,
    pub previous: Option<SecretReplacement>,
    pub headers: Option<SecretReplacement>,
}

/// A sealed secret before and after a rotation.
#[derive(Debug, Clone)]
pub struct SecretReplacement {
    pub before: Sealed,
    pub after: Sealed,
}

/// A registered process and its master keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRow {
    pub id: ProcessId,
    pub role: String,
    /// Id of the master key that it encrypts with.
    pub master_key_id: String,
    /// Ids of all master keys that it can decrypt with, including `master_key_id`.
    pub decryption_key_ids: Vec<String>,
}
