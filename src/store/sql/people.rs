use async_trait::async_trait;
use sqlx::QueryBuilder;

use super::{Adapter, Database, MIGRATIONS, require_writable};
use crate::{
    domain::{AccountId, Role, Timestamp, User, UserId},
    store::{
        ApiKey, LoginFailures, PeopleStore, SessionRow, StoreError, UserRow,
        rows::{small_count, stored, stored_id},
    },
};

#[async_trait]
impl PeopleStore for Adapter {
    async fn ready(&self) -> Result<(), StoreError> {
        let applied: i64 = sqlx::query_scalar("select count(*) from _sqlx_migrations where success")
            .fetch_one(&self.readers)
            .await?;
        require_writable(self).await?;
        let known = MIGRATIONS.iter().count();
        if usize::try_from(applied).is_ok_and(|applied| applied >= known) {
            Ok(())
        } else {
            Err(StoreError::Unavailable("migrations are missing".to_owned()))
        }
    }

    async fn ensure_account(&self, name: &str, now: Timestamp) -> Result<AccountId, StoreError> {
        let id: String = sqlx::query_scalar(
            "insert into accounts (id, name, created_at) values ($1, $2, $3)
             on conflict (name) do update set name = excluded.name returning id",
        )
        .bind(AccountId::generate(now).as_str())
        .bind(name)
        .bind(now.as_millis())
        .fetch_one(&self.writer)
        .await?;
        stored_id(&id)
    }

    async fn accounts(&self) -> Result<Vec<AccountId>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar("select id from accounts order by id")
            .fetch_all(&self.readers)
            .await?;
        ids.iter().map(|id| stored_id(id)).collect()
    }

    async fn insert_user(&self, user: &User, password_hash: &str, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "insert into users (id, account_id, email, password_hash, role, created_at)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(user.id.as_str())
        .bind(user.account_id.as_str())
        .bind(&user.email)
        .bind(password_hash)
        .bind(user.role.as_str())
        .bind(now.as_millis())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let rows: Vec<(String, String, String, Option<i64>)> = sqlx::query_as(
            "select u.email, a.name, u.role, u.disabled_at from users u join accounts a on a.id = u.account_id
             order by a.name, u.email",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(email, account, role, disabled_at)| {
                Ok(UserRow {
                    email,
                    account,
                    role: stored_role(&role)?,
                    disabled: disabled_at.is_some(),
                })
            })
            .collect()
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>, StoreError> {
        let row: Option<(String, String, String)> =
            sqlx::query_as("select account_id, email, role from users where id = $1 and disabled_at is null")
                .bind(id.as_str())
                .fetch_optional(&self.readers)
                .await?;
        row.map(|(account, email, role)| {
            Ok(User {
                id: id.clone(),
                account_id: stored_id(&account)?,
                email,
                role: stored_role(&role)?,
            })
        })
        .transpose()
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StoreError> {
        let row: Option<(String, String, String, String, String)> = sqlx::query_as(
            "select id, account_id, email, role, password_hash from users where email = $1 and disabled_at is null",
        )
        .bind(email)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|(id, account, email, role, hash)| {
            let user = User {
                id: stored_id(&id)?,
                account_id: stored_id(&account)?,
                email,
                role: stored_role(&role)?,
            };
            Ok((user, hash))
        })
        .transpose()
    }

    async fn set_password(&self, email: &str, password_hash: &str) -> Result<bool, StoreError> {
        let result = sqlx::query("update users set password_hash = $2 where email = $1")
            .bind(email)
            .bind(password_hash)
            .execute(&self.writer)
            .await?;
        Ok(result.rows_affected() == 1)
    }

    async fn disable_user(&self, email: &str, now: Timestamp) -> Result<bool, StoreError> {
        let result = sqlx::query("update users set disabled_at = $2 where email = $1")
            .bind(email)
            .bind(now.as_millis())
            .execute(&self.writer)
            .await?;
        Ok(result.rows_affected() == 1)
    }

    async fn login_failures(&self, key: &str, since: Timestamp) -> Result<LoginFailures, StoreError> {
        let (count, newest): (i64, i64) = sqlx::query_as(
            "select count(*), coalesce(max(failed_at), 0) from login_failures where key = $1 and failed_at >= $2",
        )
        .bind(key)
        .bind(since.as_millis())
        .fetch_one(&self.readers)
        .await?;
        Ok(LoginFailures {
            count: small_count(count),
            newest: Timestamp::from_millis(newest),
        })
    }

    async fn record_login_failure(
        &self,
        keys: &[String],
        now: Timestamp,
        keep_since: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query("delete from login_failures where failed_at < $1")
            .bind(keep_since.as_millis())
            .execute(&mut *tx)
            .await?;
        let mut insert = QueryBuilder::<Database>::new("insert into login_failures (key, failed_at) ");
        insert.push_values(keys, |mut row, key| {
            row.push_bind(key).push_bind(now.as_millis());
        });
        insert.build().execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    async fn clear_login_failures(&self, key: &str) -> Result<(), StoreError> {
        sqlx::query("delete from login_failures where key = $1")
            .bind(key)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn insert_api_key(&self, key: &ApiKey, hash: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "insert into api_keys (id, account_id, name, prefix, hash, scopes, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(key.id.as_str())
        .bind(key.account_id.as_str())
        .bind(&key.name)
        .bind(&key.prefix)
        .bind(hash.as_slice())
        .bind(key.scopes.join(","))
        .bind(now.as_millis())
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        let row: Option<(String, String, String, String, String)> = sqlx::query_as(
            "select id, account_id, name, prefix, scopes from api_keys where hash = $1 and revoked_at is null",
        )
        .bind(hash.as_slice())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|(id, account, name, prefix, scopes)| {
            Ok(ApiKey {
                id: stored_id(&id)?,
                account_id: stored_id(&account)?,
                name,
                prefix,
                scopes: scopes.split(',').map(str::to_owned).collect(),
            })
        })
        .transpose()
    }

    async fn create_session(&self, session: &SessionRow) -> Result<bool, StoreError> {
        let result = sqlx::query(
            "insert into sessions (id_hash, data, expires_at) values ($1, $2, $3) on conflict (id_hash) do nothing",
        )
        .bind(session.id_hash.as_slice())
        .bind(&session.data)
        .bind(session.expires_at.as_millis())
        .execute(&self.writer)
        .await?;
        Ok(result.rows_affected() == 1)
    }

    async fn save_session(&self, session: &SessionRow) -> Result<(), StoreError> {
        sqlx::query(
            "insert into sessions (id_hash, data, expires_at) values ($1, $2, $3)
             on conflict (id_hash) do update set data = excluded.data, expires_at = excluded.expires_at",
        )
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
}

fn stored_role(text: &str) -> Result<Role, StoreError> {
    stored(text, |text| text.parse().ok(), "role")
}
