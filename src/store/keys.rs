//! Secrets under a master key, and on their way from one to another.

use async_trait::async_trait;

use super::{Change, Sealed, StoreError};
use crate::domain::{AccountId, ProcessId, WebhookId};

#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Webhooks of all accounts with a secret that another key than this one has sealed, by id, after that one.
    async fn sealed_otherwise(
        &self,
        key_id: &str,
        after: Option<&WebhookId>,
        limit: u32,
    ) -> Result<Vec<SealedOtherwise>, StoreError>;
    /// Replaces what is still as it was read, in one transaction with the audit log. Answers how many webhooks that were:
    /// a secret that was changed meanwhile stays as it is.
    async fn reseal(&self, resealed: &[Resealed]) -> Result<u64, StoreError>;
    /// The processes that use this database, or have died without a word since the last start of one.
    async fn processes(&self) -> Result<Vec<ProcessRow>, StoreError>;
}

/// A webhook with its secrets as they are.
#[derive(Debug, Clone)]
pub struct SealedOtherwise {
    pub account_id: AccountId,
    pub webhook_id: WebhookId,
    pub current: Sealed,
    pub previous: Option<Sealed>,
}

/// One of its secrets, before and after.
#[derive(Debug, Clone)]
pub struct Resealed {
    pub change: Change,
    pub current: Replaced,
    pub previous: Option<Replaced>,
}

#[derive(Debug, Clone)]
pub struct Replaced {
    pub before: Sealed,
    pub after: Sealed,
}

/// What a process can do with sealed secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessRow {
    pub id: ProcessId,
    pub role: String,
    /// With which it seals.
    pub master_key_id: String,
    /// Those that it can open, that one included.
    pub opens: Vec<String>,
}
