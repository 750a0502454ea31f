//! Who is signed in, and where.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Act, StoreError};
use crate::domain::{Origin, SessionId, Timestamp, User, UserId};

/// Sessions, each under the SHA-256 of its cookie's value.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// False if a session of that id exists already.
    async fn create_session(
        &self,
        session: &SessionRow,
        owner: Option<&SessionOwner>,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Changes nothing if the session has ended: whoever still works with it does not bring it back.
    async fn save_session(&self, session: &SessionRow) -> Result<(), StoreError>;
    async fn session(&self, id_hash: &[u8; 32], now: Timestamp) -> Result<Option<SessionRow>, StoreError>;
    async fn delete_session(&self, id_hash: &[u8; 32]) -> Result<(), StoreError>;
    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;

    /// Writes down that they have signed in. False if they were disabled, or got another password, since theirs was
    /// looked at.
    async fn record_sign_in(
        &self,
        user: &User,
        password_hash: &str,
        origin: Origin,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Whose session it is, as they are now. Nobody who is disabled.
    async fn session_user(
        &self,
        id_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SessionUser>, StoreError>;
    /// Writes down that it is in use.
    async fn touch_session(
        &self,
        id_hash: &[u8; 32],
        address: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Those that have not expired, last seen first.
    async fn user_sessions(&self, user: &UserId, now: Timestamp) -> Result<Vec<UserSession>, StoreError>;
    /// False if this user has no such session.
    async fn end_session(&self, act: &Act, user: &UserId, id: &SessionId) -> Result<bool, StoreError>;
    /// Ends all of this user but one, and answers how many.
    async fn end_other_sessions(&self, act: &Act, user: &UserId, keep: &[u8; 32]) -> Result<u64, StoreError>;
}

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id_hash: [u8; 32],
    pub data: Vec<u8>,
    pub expires_at: Timestamp,
}

/// Who has signed in, and how they will recognise it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionOwner {
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    pub address: String,
    pub user_agent: String,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUser {
    pub user: User,
    pub last_seen_at: Timestamp,
}

/// A session as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserSession {
    pub id: SessionId,
    pub id_hash: [u8; 32],
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// Where it was last seen.
    pub address: String,
    pub user_agent: String,
}
