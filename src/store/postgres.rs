//! PostgreSQL: a database that is a server of its own.
//!
//! What differs from the embedded one: transactions run beside each other. So a claim skips what another one has
//! locked, whoever locks webhooks and deliveries locks the webhooks first, and a webhook cannot be paused, resumed or
//! deleted between the moment at which an event's fan-out read it and the commit of its deliveries.

#![expect(
    clippy::duplicate_mod,
    reason = "the statements of sql/ are compiled for each database, see ARCHITECTURE.md"
)]

mod cluster;
mod deliveries;
mod events;
// The same statements for both databases, compiled for each.
#[path = "sql/api_keys.rs"]
mod api_keys;
#[path = "sql/audit.rs"]
mod audit;
#[path = "sql/copy.rs"]
mod copy;
#[path = "sql/delivery_log.rs"]
mod delivery_log;
#[path = "sql/event_log.rs"]
mod event_log;
#[path = "sql/invites.rs"]
mod invites;
#[path = "sql/keys.rs"]
mod keys;
#[path = "sql/open.rs"]
mod open;
#[path = "sql/people.rs"]
mod people;
#[path = "sql/queue.rs"]
mod queue;
#[path = "sql/recovery.rs"]
mod recovery;
#[path = "sql/retention.rs"]
mod retention;
#[path = "sql/sessions.rs"]
mod sessions;
#[path = "sql/tally.rs"]
mod tally;
#[path = "sql/webhook_filter.rs"]
mod webhook_filter;
#[path = "sql/webhooks.rs"]
mod webhooks;

use std::{str::FromStr, sync::OnceLock, time::Duration};

use sqlx::{
    Connection as _, PgPool, Transaction,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::sync::Mutex;

use super::{Change, Invalidated, StoreError, migrations::POSTGRES as MIGRATIONS};
use crate::domain::{AccountId, ApiKeyId, ProcessId};

/// What the shared statements are compiled for here.
use self::PostgresStore as Adapter;
use sqlx::{PgConnection as Connection, Postgres as Database};

/// Of one process. More would wait for each other inside the server instead of here.
const CONNECTIONS: u32 = 16;

/// How long anybody waits for a connection before the answer is “try again later”.
const PATIENCE: Duration = Duration::from_secs(5);

/// A process that is frozen in the middle of a transaction must not hold its locks until it wakes up: then the server
/// ends it. No transaction of ours waits for anything but the server.
const STANDSTILL: &str = "5s";

/// Each statement is planned for the tables as they are. A plan that is made while a table is empty reads all of it, and
/// would be kept until the server next looks at its size: in that minute a new database may take a million events.
const PLANS: &str = "force_custom_plan";

pub(super) struct PostgresStore {
    /// The same pool under two names: here writers do not wait for each other, nor readers for a replica.
    writer: PgPool,
    readers: PgPool,
    /// For what the processes tell each other: it never waits behind the work. One connection listens.
    pulse: PgPool,
    ear: Mutex<Option<PgListener>>,
    /// This one, once it has joined the others.
    process: OnceLock<ProcessId>,
}

impl PostgresStore {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        // Without the URL: it may hold a password.
        let cannot_open = |error: sqlx::Error| {
            StoreError::Open(format!("the PostgreSQL database cannot be opened: {error}"))
        };
        let options = PgConnectOptions::from_str(url)
            .map_err(cannot_open)?
            .application_name("caleida")
            .options([
                ("idle_in_transaction_session_timeout", STANDSTILL),
                ("plan_cache_mode", PLANS),
            ]);
        // By itself first: a pool tries again and again, and at last only says that it took too long.
        let first = Connection::connect_with(&options).await.map_err(cannot_open)?;
        first.close().await.map_err(cannot_open)?;
        let pool_of = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(PATIENCE)
                .connect_lazy_with(options.clone())
        };
        let pool = pool_of(CONNECTIONS);
        // Under an advisory lock, so that those that start together apply each once.
        MIGRATIONS.run(&pool).await?;
        Ok(Self {
            writer: pool.clone(),
            readers: pool,
            pulse: pool_of(2),
            ear: Mutex::default(),
            process: OnceLock::new(),
        })
    }

    async fn begin(&self) -> Result<Transaction<'static, Database>, StoreError> {
        Ok(self.writer.begin().await?)
    }
}

/// The ends of a copy. They may wait for each other, so a pause inside the transaction is no sign of a frozen process.
impl PostgresStore {
    /// Everything as of one moment.
    async fn begin_snapshot(&self) -> Result<Transaction<'static, Database>, StoreError> {
        self.begin_patient("begin isolation level repeatable read read only")
            .await
    }

    async fn begin_copy(&self) -> Result<Transaction<'static, Database>, StoreError> {
        self.begin_patient("begin").await
    }

    async fn begin_patient(&self, begin: &'static str) -> Result<Transaction<'static, Database>, StoreError> {
        let mut tx = self.writer.begin_with(begin).await?;
        sqlx::query("set local idle_in_transaction_session_timeout = 0")
            .execute(&mut *tx)
            .await?;
        Ok(tx)
    }
}

/// Others who add something to the account that is counted wait until this is committed; nobody else does.
async fn lock_account(connection: &mut Connection, account: &AccountId) -> Result<(), StoreError> {
    sqlx::query("select from accounts where id = $1 for no key update")
        .bind(account.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Waits for the events that are being fanned out to it, and keeps others from being until the transaction ends.
async fn lock_webhook(connection: &mut Connection, change: &Change) -> Result<(), StoreError> {
    sqlx::query("select from webhooks where id = $1 and account_id = $2 for update")
        .bind(change.webhook_id.as_str())
        .bind(change.account_id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Leaves word for every other process, to be heard when the transaction is committed.
async fn tell_others(
    connection: &mut Connection,
    store: &PostgresStore,
    change: &Change,
    what: Invalidated,
) -> Result<(), StoreError> {
    cluster::tell_others(connection, store, &change.webhook_id, what).await
}

/// The same of a key.
async fn tell_others_of_key(
    connection: &mut Connection,
    store: &PostgresStore,
    key: &ApiKeyId,
) -> Result<(), StoreError> {
    cluster::tell_others_of_key(connection, store, key).await
}

/// A standby answers as well, but takes nothing.
async fn require_writable(store: &PostgresStore) -> Result<(), StoreError> {
    let read_only: bool =
        sqlx::query_scalar("select pg_is_in_recovery() or current_setting('transaction_read_only')::bool")
            .fetch_one(&store.readers)
            .await?;
    if read_only {
        return Err(StoreError::Unavailable("it is read-only".to_owned()));
    }
    Ok(())
}
