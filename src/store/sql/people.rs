use serde_json::json;

use super::{audit, locks::lock_account, sessions::end_sessions};
use crate::{
    domain::{AccountId, Actor, AuditAction, Origin, Role, Timestamp, User, UserId},
    store::{
        AccountStore, AuditContext, AuditEvent, LoginFailures, Person, Store, StoreError, UserChangeOutcome,
        database::{Bind as _, Connection, FromRow, Kind, Query, Row, Rows, query},
        migrations,
        rows::UserRow,
    },
};

/// Accounts and users. Every change of a user is recorded in the audit log in the same transaction.
impl Store {
    /// Fails if the database is not available, is read-only or lacks a migration of this program.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let applied: i64 = query("select count(*) from _sqlx_migrations where success")
            .fetch_one(&mut self.read().await?)
            .await?;
        self.require_writable().await?;
        let required = migrations::count();
        if usize::try_from(applied).is_ok_and(|applied| applied >= required) {
            Ok(())
        } else {
            Err(StoreError::unavailable("migrations are missing"))
        }
    }

    /// Returns the account with this name. Creates it if it does not exist.
    pub async fn ensure_account(&self, name: &str, now: Timestamp) -> Result<AccountId, StoreError> {
        let mut tx = self.begin().await?;
        let id = query(
            "insert into accounts (id, name, created_at) values ($1, $2, $3)
             on conflict (name) do update set name = excluded.name returning id",
        )
        .bind(&AccountId::generate(now))
        .bind(name)
        .bind(now)
        .fetch_one(&mut tx)
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    pub async fn accounts(&self) -> Result<Vec<AccountId>, StoreError> {
        query("select id from accounts order by id")
            .fetch_all(&mut self.read().await?)
            .await
    }

    /// Fails with [`StoreError::Conflict`] if the email address is taken.
    pub async fn insert_user(
        &self,
        context: &AuditContext,
        user: &User,
        password_hash: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        query(
            "insert into users (id, account_id, email, password_hash, role, created_at)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&user.id)
        .bind(&user.account_id)
        .bind(&user.email)
        .bind(password_hash)
        .bind(user.role)
        .bind(context.at)
        .execute(&mut tx)
        .await?;
        audit::write_with_context(&mut tx, context, AuditAction::UserAdded, user.id.as_str()).await?;
        tx.commit().await
    }

    /// Returns the users of all accounts, sorted by account and email address.
    pub async fn users(&self) -> Result<Vec<Person>, StoreError> {
        people_where("true order by a.name, u.email")
            .fetch_all(&mut self.read().await?)
            .await
    }

    pub async fn person_by_email(&self, email: &str) -> Result<Option<Person>, StoreError> {
        people_where("u.email = $1")
            .bind(email)
            .fetch_optional(&mut self.read().await?)
            .await
    }

    /// Returns an active user and the password hash, for a sign-in.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StoreError> {
        let row: Option<PasswordRow> = query(
            "select id, account_id, email, role, password_hash from users where email = $1 and disabled_at is null",
        )
        .bind(email)
        .fetch_optional(&mut self.read().await?)
        .await?;
        Ok(row.map(|PasswordRow { user, password_hash }| (user, password_hash)))
    }

    pub async fn change_role(
        &self,
        context: &AuditContext,
        id: &UserId,
        role: Role,
    ) -> Result<UserChangeOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let Some(check) = AdminCheck::run(&mut tx, &context.actor.account_id, id).await? else {
            return Ok(UserChangeOutcome::NotFound);
        };
        if check.role == role {
            return Ok(UserChangeOutcome::Done);
        }
        if check.is_last_admin {
            return Ok(UserChangeOutcome::LastAdmin);
        }
        query("update users set role = $2 where id = $1")
            .bind(id)
            .bind(role)
            .execute(&mut tx)
            .await?;
        let roles = json!({
            "before": { "role": check.role.as_str() },
            "after": { "role": role.as_str() },
        });
        let audit_event = AuditEvent::new(&context.actor, AuditAction::RoleChanged, id.as_str(), context.at);
        audit::write(&mut tx, &audit_event.with(roles)).await?;
        tx.commit().await?;
        Ok(UserChangeOutcome::Done)
    }

    /// Disables a user and ends the user's sessions.
    pub async fn disable_user(
        &self,
        context: &AuditContext,
        id: &UserId,
    ) -> Result<UserChangeOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let Some(check) = AdminCheck::run(&mut tx, &context.actor.account_id, id).await? else {
            return Ok(UserChangeOutcome::NotFound);
        };
        if check.is_last_admin {
            return Ok(UserChangeOutcome::LastAdmin);
        }
        if check.is_active {
            query("update users set disabled_at = $2 where id = $1")
                .bind(id)
                .bind(context.at)
                .execute(&mut tx)
                .await?;
            end_sessions(&mut tx, id, None).await?;
            audit::write_with_context(&mut tx, context, AuditAction::UserDisabled, id.as_str()).await?;
            tx.commit().await?;
        }
        Ok(UserChangeOutcome::Done)
    }

    pub async fn enable_user(
        &self,
        context: &AuditContext,
        id: &UserId,
    ) -> Result<UserChangeOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let Some(check) = AdminCheck::run(&mut tx, &context.actor.account_id, id).await? else {
            return Ok(UserChangeOutcome::NotFound);
        };
        if !check.is_active {
            query("update users set disabled_at = null where id = $1")
                .bind(id)
                .execute(&mut tx)
                .await?;
            audit::write_with_context(&mut tx, context, AuditAction::UserEnabled, id.as_str()).await?;
            tx.commit().await?;
        }
        Ok(UserChangeOutcome::Done)
    }

    /// Sets the password and ends all sessions of the user except `keep`. Returns `false` if the user does not exist.
    pub async fn set_password(
        &self,
        context: &AuditContext,
        id: &UserId,
        password_hash: &str,
        keep: Option<&[u8; 32]>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let result = query("update users set password_hash = $3 where account_id = $1 and id = $2")
            .bind(&context.actor.account_id)
            .bind(id)
            .bind(password_hash)
            .execute(&mut tx)
            .await?;
        if result == 0 {
            return Ok(false);
        }
        end_sessions(&mut tx, id, keep).await?;
        audit::write_with_context(&mut tx, context, AuditAction::PasswordChanged, id.as_str()).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Returns the failed sign-ins for a key since a time.
    pub async fn login_failures(&self, key: &str, since: Timestamp) -> Result<LoginFailures, StoreError> {
        let (count, newest) = query(
            "select count(*), coalesce(max(failed_at), 0) from login_failures where key = $1 and failed_at >= $2",
        )
        .bind(key)
        .bind(since)
        .fetch_one(&mut self.read().await?)
        .await?;
        Ok(LoginFailures { count, newest })
    }

    /// Records a failed sign-in for each key, and deletes failures from before `keep_since`. If the email address
    /// belongs to a user, also records the failure in the audit log of the account.
    pub async fn record_login_failure(
        &self,
        email: &str,
        origin: Origin,
        keys: &[String],
        now: Timestamp,
        keep_since: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        query("delete from login_failures where failed_at < $1")
            .bind(keep_since)
            .execute(&mut tx)
            .await?;
        let failures = keys.iter().map(|key| [key.into_value(), now.into_value()]);
        Rows::new([Kind::Text, Kind::Integer], failures)
            .execute("insert into login_failures (key, failed_at) {rows}", &mut tx)
            .await?;
        let user: Option<(UserId, AccountId)> = query("select id, account_id from users where email = $1")
            .bind(email)
            .fetch_optional(&mut tx)
            .await?;
        if let Some((user, account)) = user {
            let context = AuditContext {
                actor: Actor::user(account, email, origin),
                at: now,
            };
            audit::write_with_context(&mut tx, &context, AuditAction::SignInRefused, user.as_str()).await?;
        }
        tx.commit().await
    }

    pub async fn clear_login_failures(&self, key: &str) -> Result<(), StoreError> {
        query("delete from login_failures where key = $1")
            .bind(key)
            .execute_in(&self.database)
            .await?;
        Ok(())
    }
}

impl AccountStore<'_> {
    /// Returns the users of the account, sorted by email address.
    pub async fn people(&self) -> Result<Vec<Person>, StoreError> {
        people_where("u.account_id = $1 order by u.email")
            .bind(self.account)
            .fetch_all(&mut self.store.read().await?)
            .await
    }

    pub async fn person(&self, id: &UserId) -> Result<Option<Person>, StoreError> {
        people_where("u.account_id = $1 and u.id = $2")
            .bind(self.account)
            .bind(id)
            .fetch_optional(&mut self.store.read().await?)
            .await
    }
}

/// Selects the users that match a condition on `users u` and `accounts a`.
fn people_where(condition: &str) -> Query {
    query(format!(
        "select u.id, u.account_id, u.email, u.role, a.name as account, u.last_sign_in_at, u.disabled_at
         from users u join accounts a on a.id = u.account_id where {condition}"
    ))
}

struct PasswordRow {
    user: User,
    password_hash: String,
}

impl FromRow for PasswordRow {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            user: UserRow::from_row(row)?.into(),
            password_hash: row.get("password_hash")?,
        })
    }
}

impl FromRow for Person {
    fn from_row(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            user: UserRow::from_row(row)?.into(),
            account: row.get("account")?,
            last_sign_in_at: row.get("last_sign_in_at")?,
            disabled_at: row.get("disabled_at")?,
        })
    }
}

/// State of a user before a change. No other transaction can change users of the account until this one ends: two
/// admins who disable each other at the same time would leave the account without an admin.
struct AdminCheck {
    role: Role,
    is_active: bool,
    is_last_admin: bool,
}

impl AdminCheck {
    async fn run(
        connection: &mut Connection,
        account: &AccountId,
        id: &UserId,
    ) -> Result<Option<Self>, StoreError> {
        lock_account(connection, account).await?;
        let users: Vec<(UserId, Role, Option<Timestamp>)> =
            query("select id, role, disabled_at from users where account_id = $1")
                .bind(account)
                .fetch_all(connection)
                .await?;
        let is_active_admin = |(_, role, disabled_at): &&(UserId, Role, Option<Timestamp>)| {
            *role == Role::Admin && disabled_at.is_none()
        };
        let Some(user) = users.iter().find(|(other, ..)| other == id) else {
            return Ok(None);
        };
        Ok(Some(Self {
            role: user.1,
            is_active: user.2.is_none(),
            is_last_admin: is_active_admin(&user) && users.iter().filter(is_active_admin).count() == 1,
        }))
    }
}
