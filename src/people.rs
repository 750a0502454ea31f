//! Operations on the users and invites of an account by its admins, for the UI. The command line calls the store
//! directly, for all accounts.

use std::sync::Arc;

use crate::{
    domain::{InviteId, Role, UserId},
    store::{AuditContext, Invite, Store, StoreError, UserChangeOutcome},
};

/// Operations on users and invites. Cheap to clone.
#[derive(Clone)]
pub struct People(Arc<Store>);

impl People {
    pub fn new(store: Arc<Store>) -> Self {
        Self(store)
    }

    pub async fn change_role(
        &self,
        context: &AuditContext,
        user: &UserId,
        role: Role,
    ) -> Result<UserChangeOutcome, StoreError> {
        self.0.change_role(context, user, role).await
    }

    /// Disables a user and ends all of their sessions.
    pub async fn disable(
        &self,
        context: &AuditContext,
        user: &UserId,
    ) -> Result<UserChangeOutcome, StoreError> {
        self.0.disable_user(context, user).await
    }

    pub async fn enable(
        &self,
        context: &AuditContext,
        user: &UserId,
    ) -> Result<UserChangeOutcome, StoreError> {
        self.0.enable_user(context, user).await
    }

    /// Revokes an open invite and returns it, or `None` if there is no such invite.
    pub async fn revoke_invite(
        &self,
        context: &AuditContext,
        invite: &InviteId,
    ) -> Result<Option<Invite>, StoreError> {
        self.0.revoke_invite(context, invite).await
    }
}
