//! Invites, which let their recipients become users.

use crate::domain::{Email, InviteId, Principal, Role, Timestamp};

#[derive(Debug, Clone)]
pub struct NewInvite {
    pub id: InviteId,
    pub email: Email,
    pub role: Role,
    pub token: InviteToken,
}

/// Stored part of an invite token.
#[derive(Debug, Clone, Copy)]
pub struct InviteToken {
    pub hash: [u8; 32],
    pub expires_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteOutcome {
    Created,
    /// The email address already has an invite, open or expired.
    AlreadyInvited,
    /// The email address belongs to an active user of the account.
    AlreadyMember,
    /// The email address belongs to a disabled user of the account.
    UserDisabled,
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

/// An open invite, as shown to its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenInvite {
    pub email: String,
    /// Name of the account.
    pub account: String,
    pub role: Role,
}
