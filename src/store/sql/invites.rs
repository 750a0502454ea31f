use async_trait::async_trait;

use super::{Adapter, audit};
use crate::{
    domain::{AccountId, InviteId, Origin, Timestamp, User, UserId},
    store::{
        Act, Invite, InviteStore, InviteToken, Invited, NewInvite, OpenInvite, StoreError,
        rows::{stored_id, stored_role, stored_user},
    },
};

#[async_trait]
impl InviteStore for Adapter {
    async fn insert_invite(&self, act: &Act, invite: &NewInvite) -> Result<Invited, StoreError> {
        let mut tx = self.begin().await?;
        let member: Option<Option<i64>> =
            sqlx::query_scalar("select disabled_at from users where account_id = $1 and email = $2")
                .bind(act.actor.account_id.as_str())
                .bind(invite.email.as_str())
                .fetch_optional(&mut *tx)
                .await?;
        match member {
            Some(None) => return Ok(Invited::Member),
            Some(Some(_)) => return Ok(Invited::Disabled),
            None => {}
        }
        let result = sqlx::query(
            "insert into invites (id, account_id, email, role, token_hash, created_at, created_by, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (account_id, email) do nothing",
        )
        .bind(invite.id.as_str())
        .bind(act.actor.account_id.as_str())
        .bind(invite.email.as_str())
        .bind(invite.role.as_str())
        .bind(invite.token.hash.as_slice())
        .bind(act.at.as_millis())
        .bind(&act.actor.name)
        .bind(invite.token.expires_at.as_millis())
        .execute(&mut *tx)
        .await?;
        if result.rows_affected() == 0 {
            return Ok(Invited::Already);
        }
        audit::write_act(&mut tx, act, "user.invited", invite.email.as_str()).await?;
        tx.commit().await?;
        Ok(Invited::Done)
    }

    async fn invites(&self, account: &AccountId) -> Result<Vec<Invite>, StoreError> {
        let rows: Vec<InviteRow> = sqlx::query_as(
            "select id, email, role, created_at, created_by, expires_at from invites where account_id = $1
             order by email",
        )
        .bind(account.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(Invite::try_from).collect()
    }

    async fn renew_invite(
        &self,
        act: &Act,
        id: &InviteId,
        token: InviteToken,
    ) -> Result<Option<Invite>, StoreError> {
        let mut tx = self.begin().await?;
        let row: Option<InviteRow> = sqlx::query_as(
            "update invites set token_hash = $3, expires_at = $4 where account_id = $1 and id = $2
             returning id, email, role, created_at, created_by, expires_at",
        )
        .bind(act.actor.account_id.as_str())
        .bind(id.as_str())
        .bind(token.hash.as_slice())
        .bind(token.expires_at.as_millis())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        audit::write_act(&mut tx, act, "invite.renewed", &row.email).await?;
        tx.commit().await?;
        row.try_into().map(Some)
    }

    async fn revoke_invite(&self, act: &Act, id: &InviteId) -> Result<Option<Invite>, StoreError> {
        let mut tx = self.begin().await?;
        let row: Option<InviteRow> = sqlx::query_as(
            "delete from invites where account_id = $1 and id = $2
             returning id, email, role, created_at, created_by, expires_at",
        )
        .bind(act.actor.account_id.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        audit::write_act(&mut tx, act, "invite.revoked", &row.email).await?;
        tx.commit().await?;
        row.try_into().map(Some)
    }

    async fn open_invite(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<OpenInvite>, StoreError> {
        let row: Option<(String, String, String)> = sqlx::query_as(
            "select i.email, a.name, i.role from invites i join accounts a on a.id = i.account_id
             where i.token_hash = $1 and i.expires_at > $2",
        )
        .bind(token_hash.as_slice())
        .bind(now.as_millis())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|(email, account, role)| {
            Ok(OpenInvite {
                email,
                account,
                role: stored_role(&role)?,
            })
        })
        .transpose()
    }

    async fn accept_invite(
        &self,
        token_hash: &[u8; 32],
        id: &UserId,
        password_hash: &str,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let mut tx = self.begin().await?;
        // Whoever deletes it has it: no link makes two users.
        let invite: Option<(String, String, String)> = sqlx::query_as(
            "delete from invites where token_hash = $1 and expires_at > $2 returning account_id, email, role",
        )
        .bind(token_hash.as_slice())
        .bind(now.as_millis())
        .fetch_optional(&mut *tx)
        .await?;
        let Some((account, email, role)) = invite else {
            return Ok(None);
        };
        let user = stored_user(id.as_str(), &account, email, &role)?;
        let result = sqlx::query(
            "insert into users (id, account_id, email, password_hash, role, created_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (email) do nothing",
        )
        .bind(id.as_str())
        .bind(&account)
        .bind(&user.email)
        .bind(password_hash)
        .bind(&role)
        .bind(now.as_millis())
        .execute(&mut *tx)
        .await?;
        if result.rows_affected() == 0 {
            return Ok(None);
        }
        let act = Act::of(&user, origin, now);
        audit::write_act(&mut tx, &act, "user.joined", id.as_str()).await?;
        tx.commit().await?;
        Ok(Some(user))
    }
}

from_row! {
    struct InviteRow {
        id: String,
        email: String,
        role: String,
        created_at: i64,
        created_by: String,
        expires_at: i64,
    }
}

impl TryFrom<InviteRow> for Invite {
    type Error = StoreError;

    fn try_from(row: InviteRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: stored_id(&row.id)?,
            email: row.email,
            role: stored_role(&row.role)?,
            created_at: Timestamp::from_millis(row.created_at),
            created_by: row.created_by,
            expires_at: Timestamp::from_millis(row.expires_at),
        })
    }
}
