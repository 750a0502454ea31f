//! Who there is.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{AccountId, Actor, Origin, Role, Timestamp, User, UserId};

/// Accounts, and the people who act for them. Every change to a person is written to the audit log in the same
/// transaction.
#[async_trait]
pub trait PeopleStore: Send + Sync {
    /// Whether the database answers and has every migration that this program knows.
    async fn ready(&self) -> Result<(), StoreError>;

    /// The account of that name, made if there is none.
    async fn ensure_account(&self, name: &str, now: Timestamp) -> Result<AccountId, StoreError>;

    async fn accounts(&self) -> Result<Vec<AccountId>, StoreError>;

    /// [`StoreError::Conflict`] if the email is taken.
    async fn insert_user(&self, act: &Act, user: &User, password_hash: &str) -> Result<(), StoreError>;
    /// Of all accounts, by account and email.
    async fn users(&self) -> Result<Vec<Person>, StoreError>;
    /// By email.
    async fn people(&self, account: &AccountId) -> Result<Vec<Person>, StoreError>;
    async fn person(&self, account: &AccountId, id: &UserId) -> Result<Option<Person>, StoreError>;
    async fn person_by_email(&self, email: &str) -> Result<Option<Person>, StoreError>;
    /// With the password's hash, for signing in; nobody who is disabled.
    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StoreError>;
    async fn change_role(&self, act: &Act, id: &UserId, role: Role) -> Result<Changed, StoreError>;
    /// Also ends their sessions.
    async fn disable_user(&self, act: &Act, id: &UserId) -> Result<Changed, StoreError>;
    async fn enable_user(&self, act: &Act, id: &UserId) -> Result<Changed, StoreError>;
    /// Also ends their sessions, except the one to `keep`. False if there is no such user.
    async fn set_password(
        &self,
        act: &Act,
        id: &UserId,
        password_hash: &str,
        keep: Option<&[u8; 32]>,
    ) -> Result<bool, StoreError>;

    /// The refused sign-ins under this key since then.
    async fn login_failures(&self, key: &str, since: Timestamp) -> Result<LoginFailures, StoreError>;
    /// Counts a refused sign-in under each key, and forgets what is older than `keep_since`. If somebody has that email,
    /// their account's audit log tells of it.
    async fn record_login_failure(
        &self,
        email: &str,
        origin: Origin,
        keys: &[String],
        now: Timestamp,
        keep_since: Timestamp,
    ) -> Result<(), StoreError>;
    async fn clear_login_failures(&self, key: &str) -> Result<(), StoreError>;
}

/// Who does something to people, and when.
#[derive(Debug, Clone)]
pub struct Act {
    pub actor: Actor,
    pub at: Timestamp,
}

impl Act {
    /// What somebody does to themselves.
    pub(super) fn of(user: &User, origin: Origin, at: Timestamp) -> Self {
        let actor = Actor {
            account_id: user.account_id.clone(),
            name: user.email.clone(),
            origin,
        };
        Self { actor, at }
    }
}

/// A user, whether they may sign in or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub user: User,
    /// The account's name.
    pub account: String,
    pub last_sign_in_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
}

/// What became of a change to a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is so now, and perhaps was before.
    Done,
    /// It would leave the account without an active admin.
    LastAdmin,
    NotFound,
}

/// Sign-ins that were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginFailures {
    pub count: u32,
    /// 1970 if there were none.
    pub newest: Timestamp,
}
