use super::audit;
use crate::{
    domain::{AccountId, AuditAction, InviteId, Origin, Role, Timestamp, User, UserId},
    store::{
        AccountStore, AuditContext, Invite, InviteOutcome, InviteToken, NewInvite, OpenInvite, Store,
        StoreError,
        database::{FromRow, Row, query},
    },
};

/// Invites are looked up by the SHA-256 of their token. Every change is recorded in the audit log in the same
/// transaction. Its subject is the email address, because the id means nothing to users after the invite is gone.
impl Store {
    pub async fn insert_invite(
        &self,
        context: &AuditContext,
        invite: &NewInvite,
    ) -> Result<InviteOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let member: Option<Option<Timestamp>> =
            query("select disabled_at from users where account_id = $1 and email = $2")
                .bind(&context.actor.account_id)
                .bind(invite.email.as_str())
                .fetch_optional(&mut tx)
                .await?;
        match member {
            Some(None) => return Ok(InviteOutcome::AlreadyMember),
            Some(Some(_)) => return Ok(InviteOutcome::UserDisabled),
            None => {}
        }
        let result = query(
            "insert into invites (id, account_id, email, role, token_hash, created_at, created_by, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (account_id, email) do nothing",
        )
        .bind(&invite.id)
        .bind(&context.actor.account_id)
        .bind(invite.email.as_str())
        .bind(invite.role)
        .bind(invite.token.hash)
        .bind(context.at)
        .bind(&context.actor.principal)
        .bind(invite.token.expires_at)
        .execute(&mut tx)
        .await?;
        if result == 0 {
            return Ok(InviteOutcome::AlreadyInvited);
        }
        audit::write_with_context(&mut tx, context, AuditAction::UserInvited, invite.email.as_str()).await?;
        tx.commit().await?;
        Ok(InviteOutcome::Created)
    }

    /// Replaces the token of an invite. The previous token stops working. Returns `None` if the invite does not exist.
    pub async fn renew_invite(
        &self,
        context: &AuditContext,
        id: &InviteId,
        token: InviteToken,
    ) -> Result<Option<Invite>, StoreError> {
        let mut tx = self.begin().await?;
        let invite: Option<Invite> = query(
            "update invites set token_hash = $3, expires_at = $4 where account_id = $1 and id = $2
             returning id, email, role, created_at, created_by, expires_at",
        )
        .bind(&context.actor.account_id)
        .bind(id)
        .bind(token.hash)
        .bind(token.expires_at)
        .fetch_optional(&mut tx)
        .await?;
        let Some(invite) = invite else { return Ok(None) };
        audit::write_with_context(&mut tx, context, AuditAction::InviteRenewed, &invite.email).await?;
        tx.commit().await?;
        Ok(Some(invite))
    }

    /// Deletes an invite and returns it. Returns `None` if the invite does not exist.
    pub async fn revoke_invite(
        &self,
        context: &AuditContext,
        id: &InviteId,
    ) -> Result<Option<Invite>, StoreError> {
        let mut tx = self.begin().await?;
        let invite: Option<Invite> = query(
            "delete from invites where account_id = $1 and id = $2
             returning id, email, role, created_at, created_by, expires_at",
        )
        .bind(&context.actor.account_id)
        .bind(id)
        .fetch_optional(&mut tx)
        .await?;
        let Some(invite) = invite else { return Ok(None) };
        audit::write_with_context(&mut tx, context, AuditAction::InviteRevoked, &invite.email).await?;
        tx.commit().await?;
        Ok(Some(invite))
    }

    /// Returns the invite with this token, or `None` if it does not exist or has expired.
    pub async fn open_invite(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<OpenInvite>, StoreError> {
        let row: Option<(String, String, Role)> = query(
            "select i.email, a.name, i.role from invites i join accounts a on a.id = i.account_id
             where i.token_hash = $1 and i.expires_at > $2",
        )
        .bind(token_hash)
        .bind(now)
        .fetch_optional(&mut self.read().await?)
        .await?;
        Ok(row.map(|(email, account, role)| OpenInvite { email, account, role }))
    }

    /// Deletes the invite and creates its user. Returns `None` if the invite does not exist or has expired, or if the
    /// email address belongs to a user by now.
    pub async fn accept_invite(
        &self,
        token_hash: &[u8; 32],
        id: &UserId,
        password_hash: &str,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let mut tx = self.begin().await?;
        // Only one transaction can delete the invite, so concurrent requests cannot create two users.
        let invite: Option<(AccountId, String, Role)> = query(
            "delete from invites where token_hash = $1 and expires_at > $2 returning account_id, email, role",
        )
        .bind(token_hash)
        .bind(now)
        .fetch_optional(&mut tx)
        .await?;
        let Some((account_id, email, role)) = invite else {
            return Ok(None);
        };
        let user = User {
            id: id.clone(),
            account_id,
            email,
            role,
        };
        let result = query(
            "insert into users (id, account_id, email, password_hash, role, created_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (email) do nothing",
        )
        .bind(id)
        .bind(&user.account_id)
        .bind(&user.email)
        .bind(password_hash)
        .bind(user.role)
        .bind(now)
        .execute(&mut tx)
        .await?;
        if result == 0 {
            return Ok(None);
        }
        let context = AuditContext::own_change(&user, origin, now);
        audit::write_with_context(&mut tx, &context, AuditAction::UserJoined, id.as_str()).await?;
        tx.commit().await?;
        Ok(Some(user))
    }
}

impl AccountStore<'_> {
    /// Returns open and expired invites, sorted by email address.
    pub async fn invites(&self) -> Result<Vec<Invite>, StoreError> {
        query(
            "select id, email, role, created_at, created_by, expires_at from invites where account_id = $1
             order by email",
        )
        .bind(self.account)
        .fetch_all(&mut self.store.read().await?)
        .await
    }
}

impl FromRow for Invite {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            email: row.get("email")?,
            role: row.get("role")?,
            created_at: row.get("created_at")?,
            created_by: row.get("created_by")?,
            expires_at: row.get("expires_at")?,
        })
    }
}
