//! API keys.

use crate::domain::{AccountId, Actor, ApiKeyId, Principal, Timestamp};

/// An API key with its account, scopes and expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub account_id: AccountId,
    pub name: String,
    /// First characters, by which users identify the key.
    pub prefix: String,
    pub scopes: Vec<String>,
    /// Time from which the key is rejected.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

#[derive(Debug, Clone)]
pub struct NewApiKey {
    pub key: ApiKey,
    pub hash: [u8; 32],
    pub by: Actor,
    pub at: Timestamp,
}

/// An API key with its creation, use and revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    pub key: ApiKey,
    pub created_at: Timestamp,
    pub created_by: Principal,
    /// Accurate to the minute.
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
