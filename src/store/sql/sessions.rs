use crate::{
    domain::{AuditAction, Origin, SessionId, Timestamp, User, UserId},
    store::{
        AccountStore, AuditContext, SessionOwner, SessionRow, SessionUser, Store, StoreError, UserSession,
        database::{Connection, FromRow, Row, query},
        rows::UserRow,
        sql::audit,
    },
};

/// Sessions are looked up by the SHA-256 of their cookie value.
impl Store {
    /// Returns `false` if the session already exists.
    pub async fn create_session(
        &self,
        session: &SessionRow,
        owner: Option<&SessionOwner>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let result = query(
            "insert into sessions
               (id_hash, data, expires_at, id, user_id, created_at, last_seen_at, address, user_agent)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id_hash) do nothing",
        )
        .bind(session.id_hash)
        .bind(&session.data)
        .bind(session.expires_at)
        .bind(owner.map(|owner| &owner.id))
        .bind(owner.map(|owner| &owner.user_id))
        .bind(owner.map(|owner| owner.created_at.as_millis()))
        .bind(now)
        .bind(owner.map(|owner| &owner.address))
        .bind(owner.map(|owner| &owner.user_agent))
        .execute_in(&self.database)
        .await?;
        Ok(result == 1)
    }

    /// Does nothing if the session has ended, so that a concurrent request cannot restore it.
    pub async fn save_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        query("update sessions set data = $2, expires_at = $3 where id_hash = $1")
            .bind(session.id_hash)
            .bind(&session.data)
            .bind(session.expires_at)
            .execute_in(&self.database)
            .await?;
        Ok(())
    }

    pub async fn session(
        &self,
        id_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SessionRow>, StoreError> {
        let row: Option<(Vec<u8>, Timestamp)> =
            query("select data, expires_at from sessions where id_hash = $1 and expires_at > $2")
                .bind(id_hash)
                .bind(now)
                .fetch_optional(&mut self.read().await?)
                .await?;
        Ok(row.map(|(data, expires_at)| SessionRow {
            id_hash: *id_hash,
            data,
            expires_at,
        }))
    }

    pub async fn delete_session(&self, id_hash: &[u8; 32]) -> Result<(), StoreError> {
        query("delete from sessions where id_hash = $1")
            .bind(id_hash)
            .execute_in(&self.database)
            .await?;
        Ok(())
    }

    /// Ends the session of a user who signs out. Returns `false` if the session has already ended.
    pub async fn sign_out(
        &self,
        context: &AuditContext,
        user: &UserId,
        id_hash: &[u8; 32],
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let ended = query("delete from sessions where user_id = $1 and id_hash = $2")
            .bind(user)
            .bind(id_hash)
            .execute(&mut tx)
            .await?;
        if ended == 0 {
            return Ok(false);
        }
        audit::write_with_context(&mut tx, context, AuditAction::UserSignedOut, user.as_str()).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        let result = query("delete from sessions where expires_at <= $1")
            .bind(now)
            .execute_in(&self.database)
            .await?;
        Ok(result)
    }

    /// Records a sign-in. Returns `false` if the user was disabled or the password was changed after it was checked.
    pub async fn record_sign_in(
        &self,
        user: &User,
        password_hash: &str,
        origin: Origin,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let result = query(
            "update users set last_sign_in_at = $3 where id = $1 and password_hash = $2 and disabled_at is null",
        )
        .bind(&user.id)
        .bind(password_hash)
        .bind(now)
        .execute(&mut tx)
        .await?;
        if result == 0 {
            return Ok(false);
        }
        let context = AuditContext::own_change(user, origin, now);
        audit::write_with_context(&mut tx, &context, AuditAction::UserSignedIn, user.id.as_str()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Returns the current state of the user of a session, or `None` if the session has ended or the user is disabled.
    pub async fn session_user(
        &self,
        id_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<SessionUser>, StoreError> {
        query(
            "select u.id, u.account_id, u.email, u.role, s.last_seen_at
             from sessions s join users u on u.id = s.user_id
             where s.id_hash = $1 and s.expires_at > $2 and u.disabled_at is null",
        )
        .bind(id_hash)
        .bind(now)
        .fetch_optional(&mut self.read().await?)
        .await
    }

    /// Records the last use of a session.
    pub async fn touch_session(
        &self,
        id_hash: &[u8; 32],
        address: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query("update sessions set last_seen_at = $2, address = $3 where id_hash = $1")
            .bind(id_hash)
            .bind(now)
            .bind(address)
            .execute_in(&self.database)
            .await?;
        Ok(())
    }

    /// Returns `false` if the user does not have this session.
    pub async fn end_session(
        &self,
        context: &AuditContext,
        user: &UserId,
        id: &SessionId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let result = query("delete from sessions where user_id = $1 and id = $2")
            .bind(user)
            .bind(id)
            .execute(&mut tx)
            .await?;
        if result == 0 {
            return Ok(false);
        }
        audit::write_with_context(&mut tx, context, AuditAction::SessionEnded, id.as_str()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends all sessions of a user except `keep`. Returns the number of sessions that it ended.
    pub async fn end_other_sessions(
        &self,
        context: &AuditContext,
        user: &UserId,
        keep: &[u8; 32],
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin().await?;
        let ended = end_sessions(&mut tx, user, Some(keep)).await?;
        for session in &ended {
            audit::write_with_context(&mut tx, context, AuditAction::SessionEnded, session.as_str()).await?;
        }
        tx.commit().await?;
        Ok(ended.len() as u64)
    }
}

impl AccountStore<'_> {
    /// Returns the sessions of a user that have not expired, most recently used first.
    pub async fn user_sessions(&self, user: &UserId, now: Timestamp) -> Result<Vec<UserSession>, StoreError> {
        query(
            "select id, id_hash, created_at, last_seen_at, address, user_agent from sessions
             where user_id in (select id from users where id = $1 and account_id = $2) and expires_at > $3
             order by last_seen_at desc, id desc",
        )
        .bind(user)
        .bind(self.account)
        .bind(now)
        .fetch_all(&mut self.store.read().await?)
        .await
    }
}

/// Ends all sessions of a user except `keep`. Returns the ids of the sessions that it ended.
pub(super) async fn end_sessions(
    connection: &mut Connection,
    user: &UserId,
    keep: Option<&[u8; 32]>,
) -> Result<Vec<SessionId>, StoreError> {
    query("delete from sessions where user_id = $1 and id_hash <> $2 returning id")
        .bind(user)
        // An empty value differs from every hash.
        .bind(keep.map_or(&[][..], |hash| hash.as_slice()))
        .fetch_all(connection)
        .await
}

impl FromRow for SessionUser {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            user: UserRow::from_row(row)?.into(),
            last_seen_at: row.get("last_seen_at")?,
        })
    }
}

impl FromRow for UserSession {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.get("id")?,
            id_hash: row.get("id_hash")?,
            created_at: row.get("created_at")?,
            last_seen_at: row.get("last_seen_at")?,
            address: row.get("address")?,
            user_agent: row.get("user_agent")?,
        })
    }
}
