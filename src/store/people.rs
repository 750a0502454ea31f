//! Users, and parameters and results of operations on them.

use crate::domain::{Actor, Origin, Timestamp, User};

/// Author and time of a change, for the audit log.
#[derive(Debug, Clone)]
pub struct AuditContext {
    pub actor: Actor,
    pub at: Timestamp,
}

impl AuditContext {
    /// Returns the context of a change that a user makes to their own account.
    pub(super) fn own_change(user: &User, origin: Origin, at: Timestamp) -> Self {
        Self {
            actor: Actor::user(user.account_id.clone(), &user.email, origin),
            at,
        }
    }
}

/// An active or disabled user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub user: User,
    /// Name of the account.
    pub account: String,
    pub last_sign_in_at: Option<Timestamp>,
    pub disabled_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserChangeOutcome {
    /// The user has the requested state, and may have had it before.
    Done,
    /// Rejected, because the account would have no active admin.
    LastAdmin,
    NotFound,
}

/// Failed sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginFailures {
    pub count: u32,
    /// Time of the last failure, or the Unix epoch if there were none.
    pub newest: Timestamp,
}
