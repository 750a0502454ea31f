//! Who may become a user, by a link.

use async_trait::async_trait;

use super::{Act, StoreError};
use crate::domain::{AccountId, Email, InviteId, Origin, Role, Timestamp, User, UserId};

/// Invites, each found by the SHA-256 of its token. What happens to them is written to the audit log in the same
/// transaction, under their email: that says more than the id of what is gone.
#[async_trait]
pub trait InviteStore: Send + Sync {
    async fn insert_invite(&self, act: &Act, invite: &NewInvite) -> Result<Invited, StoreError>;
    /// By email; also those that have expired.
    async fn invites(&self, account: &AccountId) -> Result<Vec<Invite>, StoreError>;
    /// Gives it another token, and the one before leads nowhere. `None`: there is no such invite.
    async fn renew_invite(
        &self,
        act: &Act,
        id: &InviteId,
        token: InviteToken,
    ) -> Result<Option<Invite>, StoreError>;
    /// `None`: there is no such invite.
    async fn revoke_invite(&self, act: &Act, id: &InviteId) -> Result<Option<Invite>, StoreError>;
    /// What the token stands for, unless it has expired.
    async fn open_invite(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<OpenInvite>, StoreError>;
    /// Uses it up: from then on there is the user. `None` if it is not open, or somebody has that email by now.
    async fn accept_invite(
        &self,
        token_hash: &[u8; 32],
        id: &UserId,
        password_hash: &str,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError>;
}

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
    pub created_by: String,
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
