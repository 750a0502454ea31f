//! A temporary PostgreSQL server on a free port of loopback, removed when the benchmark ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::machine;

/// Script that runs the server until its standard input is closed, so that the server stops however the benchmark ends.
///
/// The settings are PostgreSQL's defaults, durability included. Only `pg_stat_statements` is added, for the statistics.
const GUARDIAN: &str = r#"
set -eu
# Ctrl-C stops the benchmark, which then closes the standard input.
trap '' INT TERM HUP
bin=$1 folder=$2 port=$3
server= user=()
finish() {
    # The data is discarded, so an immediate shutdown is enough.
    [ -z "$server" ] || { kill -QUIT "$server" && wait "$server"; } || true
    cd / && rm -rf "$folder"
}
trap finish EXIT
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    user=(setpriv --reuid postgres --regid postgres --clear-groups)
    chown postgres "$folder"
fi
cd "$folder"
"${user[@]}" "$bin/initdb" --pgdata data --username postgres --auth trust --encoding UTF8 --no-sync
"${user[@]}" "$bin/postgres" -D data -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 \
    -c fsync=on -c synchronous_commit=on -c full_page_writes=on \
    -c shared_preload_libraries=pg_stat_statements </dev/null &
server=$!
until "$bin/pg_isready" -q -U postgres -h 127.0.0.1 -p "$port"; do kill -0 $server; sleep 0.1; done
echo "ready $server" >&3
read -r _ || true
"#;

/// Name of the database, of which there is only one at a time.
const DATABASE: &str = "bench";

pub struct Cluster {
    guardian: Child,
    server: u32,
    url: String,
}

/// Statistics of the database since its creation.
pub struct Activity {
    pub transactions: i64,
    /// Includes `begin` and `commit`.
    pub statements: i64,
    pub claims: i64,
    /// Total execution time of all claims.
    pub milliseconds_of_claims: f64,
}

impl Cluster {
    pub async fn start() -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = tempfile::Builder::new()
            .prefix("caleida-bench-pg-")
            .tempdir()?
            .keep();
        let log = folder.join("log");
        let mut guardian = Command::new("bash")
            .args([
                "-c",
                &format!("exec 3>&1 >\"$2/log\" 2>&1\n{GUARDIAN}"),
                "guardian",
            ])
            .args([&find_programs()?, &folder])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(guardian.stdout.take().context("no stdout")?).read_line(&mut line)?;
        let server = line.trim().strip_prefix("ready ").with_context(|| {
            let log = fs::read_to_string(&log).unwrap_or_default();
            format!("PostgreSQL did not start: {log}")
        })?;
        let cluster = Self {
            guardian,
            server: server.parse()?,
            url: format!("postgres://postgres@127.0.0.1:{port}"),
        };
        cluster.run("create extension pg_stat_statements").await?;
        Ok(cluster)
    }

    /// Replaces the database with an empty one and returns its URL.
    pub async fn create_database(&self) -> anyhow::Result<String> {
        self.run(format!("drop database if exists {DATABASE} with (force)"))
            .await?;
        self.run(format!("create database {DATABASE}")).await?;
        // Otherwise, pending writes of the previous database would slow down this one.
        self.run("checkpoint").await?;
        Ok(format!("{}/{DATABASE}", self.url))
    }

    /// Returns the statistics. They are complete only after the server under test has stopped and closed its
    /// connections.
    pub async fn activity(&self) -> anyhow::Result<Activity> {
        let sql = "select
                 (select xact_commit from pg_stat_database where datname = $1) as transactions,
                 sum(calls)::bigint as statements,
                 sum(calls) filter (where query like 'with recursive candidate%')::bigint as claims,
                 coalesce(sum(total_exec_time) filter (where query like 'with recursive candidate%'
                     or query like 'with candidate%'), 0) as milliseconds_of_claims
             from pg_stat_statements where dbid = (select oid from pg_database where datname = $1)";
        let mut connection = self.connect().await?;
        let (transactions, statements, claims, milliseconds_of_claims) = sqlx::query_as(sql)
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await?;
        connection.close().await?;
        Ok(Activity {
            transactions,
            statements,
            claims,
            milliseconds_of_claims,
        })
    }

    /// Returns the CPU time of all processes of the server, including those that have exited.
    pub fn cpu_time(&self) -> anyhow::Result<Duration> {
        machine::cpu_time_with_children(self.server)
    }

    async fn run(&self, sql: impl Into<String>) -> anyhow::Result<()> {
        let mut connection = self.connect().await?;
        sqlx::query(AssertSqlSafe(sql.into()))
            .execute(&mut connection)
            .await?;
        Ok(connection.close().await?)
    }

    /// Connects to the maintenance database, to keep the statistics of the measured one clean.
    async fn connect(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&format!("{}/postgres", self.url)).await?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guardian.stdin.take());
        // An error cannot be handled here.
        let _ = self.guardian.wait();
    }
}

/// Returns the folder of the newest installed server. Debian does not put it in PATH, but in a folder per version.
fn find_programs() -> anyhow::Result<PathBuf> {
    let has_server = |folder: &PathBuf| folder.join("initdb").exists();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(has_server)
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = newest.or_else(|| std::env::split_paths(&path).find(has_server));
    let folder = found.context("PostgreSQL is missing: install the package postgresql")?;
    ensure!(
        Path::new(&folder).is_absolute(),
        "PATH contains a relative folder"
    );
    Ok(folder)
}
