//! The database of the server under test: a SQLite file, or a PostgreSQL server that the benchmark starts.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, FromRow, PgPool, SqlitePool,
    postgres::PgRow,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use crate::cluster::Cluster;

/// Kind of database to benchmark.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Source of empty databases.
pub enum Source {
    Sqlite,
    Postgres(Cluster),
}

impl Source {
    pub async fn start(kind: Kind) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Sqlite => Self::Sqlite,
            Kind::Postgres => Self::Postgres(Cluster::start().await?),
        })
    }

    /// Returns the URL of an empty database. A SQLite file is in this folder.
    pub async fn create_database(&self, folder: &Path) -> anyhow::Result<String> {
        match self {
            Self::Sqlite => Ok(format!("sqlite://{}", folder.join("data/caleida.db").display())),
            Self::Postgres(cluster) => cluster.create_database().await,
        }
    }

    pub fn cluster(&self) -> Option<&Cluster> {
        match self {
            Self::Sqlite => None,
            Self::Postgres(cluster) => Some(cluster),
        }
    }
}

/// The benchmark's connections to a database.
pub enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        if url.starts_with("postgres:") {
            return Ok(Self::Postgres(PgPool::connect(url).await?));
        }
        let options: SqliteConnectOptions = url.parse()?;
        Ok(Self::Sqlite(SqlitePool::connect_with(options).await?))
    }

    pub async fn execute(&self, sql: String) -> anyhow::Result<()> {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Sqlite(pool) => sqlx::query(sql).execute(pool).await.map(|_| ())?,
            Self::Postgres(pool) => sqlx::query(sql).execute(pool).await.map(|_| ())?,
        }
        Ok(())
    }

    /// Returns the only value of the only row.
    pub async fn fetch<T: Send + Unpin>(&self, sql: impl Into<String>) -> anyhow::Result<T>
    where
        (T,): for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow>,
    {
        let sql = AssertSqlSafe(sql.into());
        Ok(match self {
            Self::Sqlite(pool) => sqlx::query_scalar(sql).fetch_one(pool).await?,
            Self::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await?,
        })
    }

    /// Returns the id of the first row, in the form that the API uses.
    pub async fn fetch_id(&self, prefix: &str, rows: &str) -> anyhow::Result<String> {
        let hex = match self {
            Self::Sqlite(_) => "lower(hex(id))",
            Self::Postgres(_) => "encode(id, 'hex')",
        };
        let digits: String = self.fetch(format!("select {hex} from {rows} limit 1")).await?;
        Ok(format!("{prefix}{digits}"))
    }

    pub async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
