//! The keys with which machines call the API.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{AccountId, Actor, ApiKeyId, Timestamp};

/// The key itself is nowhere: only its hash is stored.
#[async_trait]
pub trait ApiKeyStore: Send + Sync {
    /// [`StoreError::Conflict`] if a living key of the account has that name.
    async fn insert_api_key(&self, key: &NewApiKey) -> Result<(), StoreError>;
    /// The key with that SHA-256, unless it was revoked. Whether it has expired is for a clock to say.
    async fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError>;
    /// Newest first, those that were revoked after all others; five hundred at most.
    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKeyRow>, StoreError>;
    async fn api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError>;
    /// Leaves word of it for every other process. `None`: there is no such key, or it was revoked already.
    async fn revoke_api_key(
        &self,
        actor: &Actor,
        id: &ApiKeyId,
        at: Timestamp,
    ) -> Result<Option<ApiKeyRow>, StoreError>;
    /// When each of them was last used, unless that is known to be later.
    async fn record_api_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), StoreError>;
}

/// What an API key may do, for whom, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub account_id: AccountId,
    pub name: String,
    /// The first characters, by which people tell keys apart.
    pub prefix: String,
    pub scopes: Vec<String>,
    /// From then on it opens nothing.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

/// A key that is made.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub key: ApiKey,
    pub hash: [u8; 32],
    pub by: Actor,
    pub at: Timestamp,
}

/// A key with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    pub key: ApiKey,
    pub created_at: Timestamp,
    /// Nobody knows of the oldest ones.
    pub created_by: Option<String>,
    /// To the minute.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    Active,
    Expired,
    Revoked,
}

impl ApiKeyRow {
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if self.key.has_expired(now) {
            KeyState::Expired
        } else {
            KeyState::Active
        }
    }
}
