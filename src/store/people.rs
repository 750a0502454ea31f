//! Who there is.

use crate::domain::{Actor, Origin, Timestamp, User};

/// Who does something to people, and when.
#[derive(Debug, Clone)]
pub struct AuditContext {
    pub actor: Actor,
    pub at: Timestamp,
}

impl AuditContext {
    /// What somebody does to themselves.
    pub(super) fn of(user: &User, origin: Origin, at: Timestamp) -> Self {
        Self {
            actor: Actor::user(user.account_id.clone(), &user.email, origin),
            at,
        }
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
