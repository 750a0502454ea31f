//! PostgreSQL, which several processes can share.
//!
//! Unlike with SQLite, transactions run concurrently. So a claim skips rows that another claim has locked, all
//! transactions lock webhooks before deliveries, and a webhook cannot be paused, resumed or deleted between the fan-out
//! of an event and the commit of its deliveries.

use std::{str::FromStr, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::sync::Mutex;

use super::{Connection, Purpose, Transaction};
use crate::store::{StoreError, migrations::POSTGRES as MIGRATIONS};

/// Maximum number of connections of one process. With more, transactions would only wait inside the server instead of
/// here.
const MAX_CONNECTIONS: u32 = 16;

/// Maximum time that an operation waits for a connection before it fails as unavailable.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);

/// Time after which the server ends an idle transaction, so that a process that is frozen during a transaction does not
/// hold its locks. Between statements, transactions of this program do not wait for anything.
const IDLE_TRANSACTION_TIMEOUT: &str = "5s";

/// Plans each execution of a statement anew. A cached plan from when a table was empty scans the whole table, and is
/// kept until the server next analyzes the table. In that minute, a new database may receive a million events.
const PLAN_CACHE_MODE: &str = "force_custom_plan";

pub(in crate::store) struct Postgres {
    pool: PgPool,
    /// Connections for cluster membership and notifications, which must not wait for other work. One of them listens.
    control: PgPool,
    listener: Mutex<Option<PgListener>>,
}

fn connect_options(url: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(url)?;
    // The brackets of an IPv6 address belong to the URL.
    let host = options.get_host().trim_matches(['[', ']']).to_owned();
    Ok(options.host(&host).application_name("caleida").options([
        ("idle_in_transaction_session_timeout", IDLE_TRANSACTION_TIMEOUT),
        ("plan_cache_mode", PLAN_CACHE_MODE),
        // Whatever the default of the database: transactions take locks, and do not expect to be repeated.
        ("default_transaction_isolation", "read committed"),
    ]))
}

impl Postgres {
    pub(super) async fn open(url: &str, purpose: Purpose) -> Result<Self, StoreError> {
        // Without the URL, which may contain a password.
        let cannot_open =
            |error: sqlx::Error| StoreError::Open(format!("failed to open the PostgreSQL database: {error}"));
        let options = connect_options(url).map_err(cannot_open)?;
        // A single connection first, for its error: a pool retries and then only reports a timeout.
        let mut first = PgConnection::connect_with(&options).await.map_err(cannot_open)?;
        let encoding: String = sqlx::query_scalar("show server_encoding")
            .fetch_one(&mut first)
            .await
            .map_err(cannot_open)?;
        if encoding != "UTF8" {
            return Err(StoreError::Open(format!(
                "the PostgreSQL database has the encoding {encoding}: create one with encoding UTF8 (createdb \
                 --template template0 --encoding UTF8)"
            )));
        }
        if purpose == Purpose::Command {
            let has_tables: bool = sqlx::query_scalar("select to_regclass('_sqlx_migrations') is not null")
                .fetch_one(&mut first)
                .await
                .map_err(cannot_open)?;
            if !has_tables {
                return Err(StoreError::Open(
                    "the PostgreSQL database has no tables of Caleida: set DATABASE_URL to the server's, or run \
                     caleida migrate"
                        .to_owned(),
                ));
            }
        }
        first.close().await.map_err(cannot_open)?;
        let pool_of = |connections| {
            PgPoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(ACQUIRE_TIMEOUT)
                .connect_lazy_with(options.clone())
        };
        let pool = pool_of(MAX_CONNECTIONS);
        // Holds an advisory lock, so that processes that start at the same time apply each migration once.
        MIGRATIONS.run(&pool).await?;
        Ok(Self {
            pool,
            control: pool_of(2),
            listener: Mutex::default(),
        })
    }

    pub(super) async fn close(&self) {
        // It holds a connection. While it is in use, the caller waits until its timeout.
        *self.listener.lock().await = None;
        tokio::join!(self.pool.close(), self.control.close());
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

    /// Returns a connection for cluster membership.
    pub(in crate::store) async fn control(&self) -> Result<Connection, StoreError> {
        Ok(self.control.acquire().await?.into())
    }

    pub(in crate::store) async fn begin_control(&self) -> Result<Transaction, StoreError> {
        Ok(self.control.begin().await?.into())
    }

    /// Waits for the next notification on this channel and returns its payload. Returns `None` if notifications may
    /// have been missed.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_have_no_brackets() {
        for (url, host) in [
            ("postgres://a@[::1]:5433/b", "::1"),
            ("postgres://a@[2001:db8::7]/b", "2001:db8::7"),
            ("postgres://a@db.internal/b", "db.internal"),
        ] {
            assert_eq!(connect_options(url).unwrap().get_host(), host, "{url}");
        }
    }
}
