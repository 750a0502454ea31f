//! Who there is.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{AccountId, Role, Timestamp, User, UserId};

/// Accounts, the people who act for them, and their sessions.
#[async_trait]
pub trait PeopleStore: Send + Sync {
    /// Whether the database answers and has every migration that this program knows.
    async fn ready(&self) -> Result<(), StoreError>;

    /// The account of that name, made if there is none.
    async fn ensure_account(&self, name: &str, now: Timestamp) -> Result<AccountId, StoreError>;

    async fn accounts(&self) -> Result<Vec<AccountId>, StoreError>;

    /// [`StoreError::Conflict`] if the email is taken.
    async fn insert_user(&self, user: &User, password_hash: &str, now: Timestamp) -> Result<(), StoreError>;
    async fn users(&self) -> Result<Vec<UserRow>, StoreError>;
    /// Nobody who is disabled.
    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError>;
    /// With the password's hash, for signing in; nobody who is disabled.
    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StoreError>;
    /// False if there is no such user.
    async fn set_password(&self, email: &str, password_hash: &str) -> Result<bool, StoreError>;
    /// False if there is no such user.
    async fn disable_user(&self, email: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// The most refused sign-ins under any one of these keys since then.
    async fn login_failures(&self, keys: &[String], since: Timestamp) -> Result<u32, StoreError>;
    /// Counts a refused sign-in under each key, and forgets what is older than `keep_since`.
    async fn record_login_failure(
        &self,
        keys: &[String],
        now: Timestamp,
        keep_since: Timestamp,
    ) -> Result<(), StoreError>;
    async fn clear_login_failures(&self, key: &str) -> Result<(), StoreError>;

    /// False if a session of that id exists already.
    async fn create_session(&self, session: &SessionRow) -> Result<bool, StoreError>;
    async fn save_session(&self, session: &SessionRow) -> Result<(), StoreError>;
    async fn session(&self, id_hash: &[u8; 32], now: Timestamp) -> Result<Option<SessionRow>, StoreError>;
    async fn delete_session(&self, id_hash: &[u8; 32]) -> Result<(), StoreError>;
    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// A user as the command line lists them.
#[derive(Debug, Clone)]
pub struct UserRow {
    pub email: String,
    pub account: String,
    pub role: Role,
    pub disabled: bool,
}

/// A session as it is kept: under the hash of its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    pub id_hash: [u8; 32],
    pub data: Vec<u8>,
    pub expires_at: Timestamp,
}
