//! Secrets under a master key, and on their way from one to another.

use super::{Change, Sealed};
use crate::domain::{AccountId, ProcessId, WebhookId};

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
