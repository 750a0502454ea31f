//! A PostgreSQL server for the tests. The first test that needs it starts it on a free port; it ends with the tests.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Runs the server until standard input is closed, so the server also ends if the tests are killed. Reads one command
/// per line and prints `ready` after each.
const GUARDIAN: &str = r#"
set -eu
bin=$1 folder=$2 port=$3 primary=$4
user=()
if [ "$(id -u)" = 0 ]; then
    # PostgreSQL refuses to run as root.
    user=(setpriv --reuid postgres --regid postgres --clear-groups)
    chown postgres "$folder"
fi
cd "$folder"
start() {
    # Test data need not survive a crash of the machine.
    "${user[@]}" "$bin/postgres" -D data -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 \
        -c max_connections=400 -c fsync=off -c full_page_writes=off >>log 2>&1 </dev/null &
    server=$!
    until "$bin/pg_isready" -q -U postgres -h 127.0.0.1 -p "$port"; do kill -0 $server; sleep 0.1; done
}
stop() { kill "-$1" $server; wait $server || true; }
if [ -n "$primary" ]; then
    "${user[@]}" "$bin/pg_basebackup" --pgdata data --write-recovery-conf --no-sync --checkpoint fast \
        --dbname "host=127.0.0.1 port=$primary user=postgres application_name=standby" >>log 2>&1
else
    "${user[@]}" "$bin/initdb" --pgdata data --username postgres --auth trust --encoding UTF8 --no-sync >log 2>&1
fi
start
echo ready
while read -r command; do
    case $command in
        start) start ;;
        stop) stop INT ;;
        kill) stop QUIT ;;
        promote) "${user[@]}" "$bin/pg_ctl" promote --pgdata data >>log 2>&1 ;;
    esac
    echo ready
done
stop INT
cd / && rm -rf "$folder"
"#;

/// A running server.
pub struct Server {
    port: u16,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
    _guardian: Child,
}

impl Server {
    pub async fn start() -> Self {
        tokio::task::spawn_blocking(|| Self::start_from(""))
            .await
            .unwrap()
    }

    /// Starts a streaming replica with the application name `standby`.
    pub async fn standby(&self) -> Self {
        let primary = self.port.to_string();
        tokio::task::spawn_blocking(move || Self::start_from(&primary))
            .await
            .unwrap()
    }

    fn start_from(primary: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let folder = tempfile::Builder::new()
            .prefix("caleida-pg-")
            .tempdir()
            .unwrap()
            .keep();
        let mut guardian = Command::new("bash")
            .args(["-c", GUARDIAN, "guardian"])
            .args([&programs(), &folder])
            .args([&port.to_string(), primary])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Inheriting stderr would keep the pipe of `cargo test` open until the server has ended.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Self {
            port,
            commands: guardian.stdin.take().unwrap(),
            answers: BufReader::new(guardian.stdout.take().unwrap()),
            folder,
            _guardian: guardian,
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&mut self) {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), "ready", "{}", self.log());
    }

    /// Returns the server's log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Runs a command: `stop` (fast shutdown), `kill` (immediate shutdown), `start`, or `promote` (standby only).
    pub fn command(&mut self, command: &str) {
        writeln!(self.commands, "{command}").unwrap();
        self.wait_until_ready();
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs SQL in the administrative database.
    pub async fn run(&self, sql: &str) {
        run(&self.url("postgres"), sql).await;
    }

    /// Creates an empty database and returns its URL.
    pub async fn create_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tests_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        self.run(&format!("create database {name}")).await;
        self.url(&name)
    }
}

pub async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Returns the folder of the server programs: the newest version under Debian's `/usr/lib/postgresql`, else the one in
/// `PATH`.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut folders: Vec<_> = versions.map(|entry| entry.unwrap().path().join("bin")).collect();
    folders.retain(|folder| folder.join("initdb").exists());
    folders.sort();
    let in_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    folders
        .pop()
        .or_else(in_path)
        .expect("PostgreSQL not found: install the package postgresql")
}

/// Creates an empty database on the shared server and returns its URL.
pub async fn create_database() -> String {
    static SHARED: OnceCell<Server> = OnceCell::const_new();
    SHARED.get_or_init(Server::start).await.create_database().await
}
