//! PostgreSQL: a database that is a server of its own, and that several processes share.
//!
//! What differs from the embedded one: transactions run beside each other. So a claim skips what another one has
//! locked, whoever locks webhooks and deliveries locks the webhooks first, and a webhook cannot be paused, resumed or
//! deleted between the moment at which an event's fan-out read it and the commit of its deliveries.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::sync::Mutex;

use super::{Connection, Transaction};
use crate::store::{StoreError, migrations::POSTGRES as MIGRATIONS};

/// Of one process. More would wait for each other inside the server instead of here.
const CONNECTIONS: u32 = 16;

/// How long anybody waits for a connection before the answer is “try again later”.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// A process that is frozen in the middle of a transaction must not hold its locks until it wakes up: then the server
/// ends it. No transaction of ours waits for anything but the server.
const IDLE_TIMEOUT: &str = "5s";

/// Each statement is planned for the tables as they are. A plan that is made while a table is empty reads all of it, and
/// would be kept until the server next looks at its size: in that minute a new database may take a million events.
const PLANS: &str = "force_custom_plan";

pub(in crate::store) struct Postgres {
    pool: PgPool,
    /// For what the processes tell each other: it never waits behind the work. One connection listens.
    control: PgPool,
    listener: Mutex<Option<PgListener>>,
}

impl Postgres {
    pub(super) async fn open(url: &str) -> Result<Self, StoreError> {
        // Without the URL: it may hold a password.
        let cannot_open = |error: sqlx::Error| {
            StoreError::Open(format!("the PostgreSQL database cannot be opened: {error}"))
        };
        let options = PgConnectOptions::from_str(url)
            .map_err(cannot_open)?
            .application_name("caleida")
            .options([
                ("idle_in_transaction_session_timeout", IDLE_TIMEOUT),
                ("plan_cache_mode", PLANS),
            ]);
        // By itself first: a pool tries again and again, and at last only says that it took too long.
        let first = PgConnection::connect_with(&options).await.map_err(cannot_open)?;
        first.close().await.map_err(cannot_open)?;
        let pool_of = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .connect_lazy_with(options.clone())
        };
        let pool = pool_of(CONNECTIONS);
        // Under an advisory lock, so that those that start together apply each once.
        MIGRATIONS.run(&pool).await?;
        Ok(Self {
            pool,
            control: pool_of(2),
            listener: Mutex::default(),
        })
    }

    pub(super) async fn acquire(&self) -> Result<Connection, StoreError> {
        Ok(self.pool.acquire().await?.into())
    }

    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        Ok(self.pool.begin().await?.into())
    }

    pub(super) async fn begin_with(&self, begin: &'static str) -> Result<Transaction, StoreError> {
        Ok(self.pool.begin_with(begin).await?.into())
    }

    /// A connection for the processes among themselves.
    pub(in crate::store) async fn control(&self) -> Result<Connection, StoreError> {
        Ok(self.control.acquire().await?.into())
    }

    pub(in crate::store) async fn begin_control(&self) -> Result<Transaction, StoreError> {
        Ok(self.control.begin().await?.into())
    }

    /// Waits for the next notification on this channel and returns its payload; `None` if some may have been missed.
    pub(in crate::store) async fn notification(&self, channel: &str) -> Result<Option<String>, StoreError> {
        let mut listener = self.listener.lock().await;
        let Some(listening) = &mut *listener else {
            let mut new = PgListener::connect_with(&self.control).await?;
            new.listen(channel).await?;
            *listener = Some(new);
            return Ok(None);
        };
        match listening.try_recv().await {
            Ok(notification) => Ok(notification.map(|notification| notification.payload().to_owned())),
            Err(error) => {
                *listener = None;
                Err(error.into())
            }
        }
    }
}
