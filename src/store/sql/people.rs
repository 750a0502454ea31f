use async_trait::async_trait;
use serde_json::json;
use sqlx::{AssertSqlSafe, QueryBuilder};

use super::{Adapter, Connection, Database, MIGRATIONS, audit, require_writable, sessions::end_sessions};
use crate::{
    domain::{AccountId, Actor, Origin, Role, Timestamp, User, UserId},
    store::{
        Act, Changed, Deed, LoginFailures, PeopleStore, Person, StoreError,
        rows::{small_count, stored_id, stored_role, stored_user, timestamp},
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

    async fn insert_user(&self, act: &Act, user: &User, password_hash: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "insert into users (id, account_id, email, password_hash, role, created_at)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(user.id.as_str())
        .bind(user.account_id.as_str())
        .bind(&user.email)
        .bind(password_hash)
        .bind(user.role.as_str())
        .bind(act.at.as_millis())
        .execute(&mut *tx)
        .await?;
        audit::write_act(&mut tx, act, "user.added", user.id.as_str()).await?;
        Ok(tx.commit().await?)
    }

    async fn users(&self) -> Result<Vec<Person>, StoreError> {
        let query = people_where("true order by a.name, u.email");
        let rows: Vec<PersonRow> = sqlx::query_as(query).fetch_all(&self.readers).await?;
        rows.into_iter().map(Person::try_from).collect()
    }

    async fn people(&self, account: &AccountId) -> Result<Vec<Person>, StoreError> {
        let rows: Vec<PersonRow> = sqlx::query_as(people_where("u.account_id = $1 order by u.email"))
            .bind(account.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(Person::try_from).collect()
    }

    async fn person(&self, account: &AccountId, id: &UserId) -> Result<Option<Person>, StoreError> {
        let row: Option<PersonRow> = sqlx::query_as(people_where("u.account_id = $1 and u.id = $2"))
            .bind(account.as_str())
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(Person::try_from).transpose()
    }

    async fn person_by_email(&self, email: &str) -> Result<Option<Person>, StoreError> {
        let row: Option<PersonRow> = sqlx::query_as(people_where("u.email = $1"))
            .bind(email)
            .fetch_optional(&self.readers)
            .await?;
        row.map(Person::try_from).transpose()
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StoreError> {
        let row: Option<(String, String, String, String, String)> = sqlx::query_as(
            "select id, account_id, email, role, password_hash from users where email = $1 and disabled_at is null",
        )
        .bind(email)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|(id, account, email, role, hash)| Ok((stored_user(&id, &account, email, &role)?, hash)))
            .transpose()
    }

    async fn change_role(&self, act: &Act, id: &UserId, role: Role) -> Result<Changed, StoreError> {
        let mut tx = self.begin().await?;
        let Some(standing) = Standing::of(&mut tx, &act.actor.account_id, id).await? else {
            return Ok(Changed::NotFound);
        };
        if standing.role == role {
            return Ok(Changed::Done);
        }
        if standing.is_last_admin {
            return Ok(Changed::LastAdmin);
        }
        sqlx::query("update users set role = $2 where id = $1")
            .bind(id.as_str())
            .bind(role.as_str())
            .execute(&mut *tx)
            .await?;
        let roles = json!({
            "before": { "role": standing.role.as_str() },
            "after": { "role": role.as_str() },
        });
        let deed = Deed::new(&act.actor, "user.role_changed", id.as_str(), act.at);
        audit::write(&mut tx, &deed.with(roles)).await?;
        tx.commit().await?;
        Ok(Changed::Done)
    }

    async fn disable_user(&self, act: &Act, id: &UserId) -> Result<Changed, StoreError> {
        let mut tx = self.begin().await?;
        let Some(standing) = Standing::of(&mut tx, &act.actor.account_id, id).await? else {
            return Ok(Changed::NotFound);
        };
        if standing.is_last_admin {
            return Ok(Changed::LastAdmin);
        }
        if standing.is_active {
            sqlx::query("update users set disabled_at = $2 where id = $1")
                .bind(id.as_str())
                .bind(act.at.as_millis())
                .execute(&mut *tx)
                .await?;
            end_sessions(&mut tx, id, None).await?;
            audit::write_act(&mut tx, act, "user.disabled", id.as_str()).await?;
            tx.commit().await?;
        }
        Ok(Changed::Done)
    }

    async fn enable_user(&self, act: &Act, id: &UserId) -> Result<Changed, StoreError> {
        let mut tx = self.begin().await?;
        let Some(standing) = Standing::of(&mut tx, &act.actor.account_id, id).await? else {
            return Ok(Changed::NotFound);
        };
        if !standing.is_active {
            sqlx::query("update users set disabled_at = null where id = $1")
                .bind(id.as_str())
                .execute(&mut *tx)
                .await?;
            audit::write_act(&mut tx, act, "user.enabled", id.as_str()).await?;
            tx.commit().await?;
        }
        Ok(Changed::Done)
    }

    async fn set_password(
        &self,
        act: &Act,
        id: &UserId,
        password_hash: &str,
        keep: Option<&[u8; 32]>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let result = sqlx::query("update users set password_hash = $3 where account_id = $1 and id = $2")
            .bind(act.actor.account_id.as_str())
            .bind(id.as_str())
            .bind(password_hash)
            .execute(&mut *tx)
            .await?;
        if result.rows_affected() == 0 {
            return Ok(false);
        }
        end_sessions(&mut tx, id, keep).await?;
        audit::write_act(&mut tx, act, "user.password_changed", id.as_str()).await?;
        tx.commit().await?;
        Ok(true)
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
        email: &str,
        origin: Origin,
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
        let known: Option<(String, String)> =
            sqlx::query_as("select id, account_id from users where email = $1")
                .bind(email)
                .fetch_optional(&mut *tx)
                .await?;
        if let Some((user, account)) = known {
            let act = Act {
                actor: Actor {
                    account_id: stored_id(&account)?,
                    name: email.to_owned(),
                    origin,
                },
                at: now,
            };
            audit::write_act(&mut tx, &act, "user.sign_in_refused", &user).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn clear_login_failures(&self, key: &str) -> Result<(), StoreError> {
        sqlx::query("delete from login_failures where key = $1")
            .bind(key)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

/// The users that a condition on `users u` and `accounts a` finds.
fn people_where(condition: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(format!(
        "select u.id, u.account_id, u.email, u.role, a.name as account, u.last_sign_in_at, u.disabled_at
         from users u join accounts a on a.id = u.account_id where {condition}"
    ))
}

from_row! {
    struct PersonRow {
        id: String,
        account_id: String,
        email: String,
        role: String,
        account: String,
        last_sign_in_at: Option<i64>,
        disabled_at: Option<i64>,
    }
}

impl TryFrom<PersonRow> for Person {
    type Error = StoreError;

    fn try_from(row: PersonRow) -> Result<Self, StoreError> {
        Ok(Self {
            user: stored_user(&row.id, &row.account_id, row.email, &row.role)?,
            account: row.account,
            last_sign_in_at: timestamp(row.last_sign_in_at),
            disabled_at: timestamp(row.disabled_at),
        })
    }
}

/// A user among the others of the account. Nobody else changes any of them until the transaction ends: two admins who
/// disable each other at the same moment would leave none.
struct Standing {
    role: Role,
    is_active: bool,
    is_last_admin: bool,
}

impl Standing {
    async fn of(
        connection: &mut Connection,
        account: &AccountId,
        id: &UserId,
    ) -> Result<Option<Self>, StoreError> {
        // Says nothing new, but holds the row.
        sqlx::query("update accounts set created_at = created_at where id = $1")
            .bind(account.as_str())
            .execute(&mut *connection)
            .await?;
        let users: Vec<(String, String, Option<i64>)> =
            sqlx::query_as("select id, role, disabled_at from users where account_id = $1")
                .bind(account.as_str())
                .fetch_all(&mut *connection)
                .await?;
        let is_admin = |(_, role, disabled): &&(String, String, Option<i64>)| {
            role == Role::Admin.as_str() && disabled.is_none()
        };
        let Some(user) = users.iter().find(|(other, ..)| other == id.as_str()) else {
            return Ok(None);
        };
        Ok(Some(Self {
            role: stored_role(&user.1)?,
            is_active: user.2.is_none(),
            is_last_admin: is_admin(&user) && users.iter().filter(is_admin).count() == 1,
        }))
    }
}
