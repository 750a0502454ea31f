use async_trait::async_trait;

use super::{Adapter, Connection, audit};
use crate::{
    domain::{Origin, SessionId, Timestamp, User, UserId},
    store::{
        Act, SessionOwner, SessionRow, SessionStore, SessionUser, StoreError, UserSession,
        rows::{stored_id, stored_user},
    },
};

#[async_trait]
impl SessionStore for Adapter {
    async fn create_session(
        &self,
        session: &SessionRow,
        owner: Option<&SessionOwner>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let result = sqlx::query(
            "insert into sessions
               (id_hash, data, expires_at, id, user_id, created_at, last_seen_at, address, user_agent)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id_hash) do nothing",
        )
        .bind(session.id_hash.as_slice())
        .bind(&session.data)
        .bind(session.expires_at.as_millis())
        .bind(owner.map(|owner| owner.id.as_str()))
        .bind(owner.map(|owner| owner.user_id.as_str()))
        .bind(owner.map(|owner| owner.created_at.as_millis()))
        .bind(now.as_millis())
        .bind(owner.map(|owner| &owner.address))
        .bind(owner.map(|owner| &owner.user_agent))
        .execute(&self.writer)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    async fn save_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        sqlx::query("update sessions set data = $2, expires_at = $3 where id_hash = $1")
            .bind(session.id_hash.as_slice())
            .bind(&session.data)
            .bind(session.expires_at.as_millis())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn session(&self, id_hash: &[u8; 32], now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        let row: Option<(Vec<u8>, i64)> =
            sqlx::query_as("select data, expires_at from sessions where id_hash = $1 and expires_at > $2")
                .bind(id_hash.as_slice())
                .bind(now.as_millis())
                .fetch_optional(&self.readers)
                .await?;
        Ok(row.map(|(data, expires_at)| SessionRow {
            id_hash: *id_hash,
            data,
            expires_at: Timestamp::from_millis(expires_at),
        }))
    }

    async fn delete_session(&self, id_hash: &[u8; 32]) -> Result<(), StoreError> {
        sqlx::query("delete from sessions where id_hash = $1")
            .bind(id_hash.as_slice())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let result = sqlx::query("delete from sessions where expires_at <= $1")
            .bind(now.as_millis())
            .execute(&self.writer)
            .await?;
        Ok(result.rows_affected())
    }

    async fn record_sign_in(
        &self,
        user: &User,
        password_hash: &str,
        origin: Origin,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let result = sqlx::query(
            "update users set last_sign_in_at = $3 where id = $1 and password_hash = $2 and disabled_at is null",
        )
        .bind(user.id.as_str())
        .bind(password_hash)
        .bind(now.as_millis())
        .execute(&mut *tx)
        .await?;
        if result.rows_affected() == 0 {
            return Ok(false);
        }
        let act = Act::of(user, origin, now);
        audit::write_act(&mut tx, &act, "user.signed_in", user.id.as_str()).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn session_user(
        &self,
        id_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SessionUser>, StoreError> {
        let row: Option<(String, String, String, String, i64)> = sqlx::query_as(
            "select u.id, u.account_id, u.email, u.role, s.last_seen_at
             from sessions s join users u on u.id = s.user_id
             where s.id_hash = $1 and s.expires_at > $2 and u.disabled_at is null",
        )
        .bind(id_hash.as_slice())
        .bind(now.as_millis())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|(id, account, email, role, last_seen_at)| {
            Ok(SessionUser {
                user: stored_user(&id, &account, email, &role)?,
                last_seen_at: Timestamp::from_millis(last_seen_at),
            })
        })
        .transpose()
    }

    async fn touch_session(
        &self,
        id_hash: &[u8; 32],
        address: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query("update sessions set last_seen_at = $2, address = $3 where id_hash = $1")
            .bind(id_hash.as_slice())
            .bind(now.as_millis())
            .bind(address)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn user_sessions(&self, user: &UserId, now: Timestamp) -> Result<Vec<UserSession>, StoreError> {
        let rows: Vec<UserSessionRow> = sqlx::query_as(
            "select id, id_hash, created_at, last_seen_at, address, user_agent from sessions
             where user_id = $1 and expires_at > $2 order by last_seen_at desc, id desc",
        )
        .bind(user.as_str())
        .bind(now.as_millis())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(UserSession::try_from).collect()
    }

    async fn end_session(&self, act: &Act, user: &UserId, id: &SessionId) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let result = sqlx::query("delete from sessions where user_id = $1 and id = $2")
            .bind(user.as_str())
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        if result.rows_affected() == 0 {
            return Ok(false);
        }
        audit::write_act(&mut tx, act, "session.ended", id.as_str()).await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn end_other_sessions(&self, act: &Act, user: &UserId, keep: &[u8; 32]) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let ended = end_sessions(&mut tx, user, Some(keep)).await?;
        for session in &ended {
            audit::write_act(&mut tx, act, "session.ended", session).await?;
        }
        tx.commit().await?;
        Ok(ended.len() as u64)
    }
}

/// Ends all sessions of a user but the one to `keep`, and answers their ids.
pub(super) async fn end_sessions(
    connection: &mut Connection,
    user: &UserId,
    keep: Option<&[u8; 32]>,
) -> Result<Vec<String>, StoreError> {
    let ended = sqlx::query_scalar("delete from sessions where user_id = $1 and id_hash <> $2 returning id")
        .bind(user.as_str())
        // No hash is empty.
        .bind(keep.map_or(&[][..], |hash| hash.as_slice()))
        .fetch_all(connection)
        .await?;
    Ok(ended)
}

from_row! {
    struct UserSessionRow {
        id: String,
        id_hash: Vec<u8>,
        created_at: i64,
        last_seen_at: i64,
        address: String,
        user_agent: String,
    }
}

impl TryFrom<UserSessionRow> for UserSession {
    type Error = StoreError;

    fn try_from(row: UserSessionRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: stored_id(&row.id)?,
            id_hash: row
                .id_hash
                .try_into()
                .map_err(|_| StoreError::Corrupt("session"))?,
            created_at: Timestamp::from_millis(row.created_at),
            last_seen_at: Timestamp::from_millis(row.last_seen_at),
            address: row.address,
            user_agent: row.user_agent,
        })
    }
}
