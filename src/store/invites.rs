//! Who may become a user, by a link.

use crate::domain::{Email, InviteId, Principal, Role, Timestamp};

#[derive(Debug, Clone)]
pub struct NewInvite {
    pub id: InviteId,
    pub email: Email,
    pub role: Role,
    pub token: InviteToken,
}

/// What is kept of a token.
#[derive(Debug, Clone, Copy)]
pub struct InviteToken {
    pub hash: [u8; 32],
    pub expires_at: Timestamp,
}

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Invited {
    Done,
    /// There is an invite for that email, open or expired.
    Already,
    /// They belong to the account.
    Member,
    /// They do, and may not sign in.
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    pub id: InviteId,
    pub email: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub created_by: Principal,
    pub expires_at: Timestamp,
}

/// What an invited person is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvite {
    pub email: String,
    /// The account's name.
    pub account: String,
    pub role: Role,
}
