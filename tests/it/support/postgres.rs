//! A PostgreSQL of the tests' own: started by the first that needs it, on a free port, and gone when the tests end.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Keeps the server for as long as its standard input is open: however these tests end, it ends too.
const GUARDIAN: &str = r#"
set -eu
bin=$1 folder=$2 port=$3
user=()
if [ "$(id -u)" = 0 ]; then
    # The server refuses to run as root.
    user=(setpriv --reuid postgres --regid postgres --clear-groups)
    chown postgres "$folder"
fi
cd "$folder"
"${user[@]}" "$bin/initdb" --pgdata data --username postgres --auth trust --encoding UTF8 --no-sync >log 2>&1
# Nothing here outlives the machine, so nothing has to be synced.
"${user[@]}" "$bin/postgres" -D data -p "$port" -k "$folder" -c listen_addresses=127.0.0.1 -c max_connections=400 \
    -c fsync=off -c full_page_writes=off >>log 2>&1 </dev/null &
server=$!
until "$bin/pg_isready" -q -U postgres -h 127.0.0.1 -p "$port"; do kill -0 $server; sleep 0.1; done
echo ready
read -r _ || true
kill -INT $server
wait $server || true
cd / && rm -rf "$folder"
"#;

struct Cluster {
    port: u16,
    _guardian: Child,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

fn start() -> Cluster {
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
        .arg(port.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // Whoever reads what the tests print waits until nobody has that open any more.
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(guardian.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert_eq!(
        line.trim(),
        "ready",
        "{}",
        std::fs::read_to_string(folder.join("log")).unwrap_or_default()
    );
    Cluster {
        port,
        _guardian: guardian,
    }
}

/// Debian keeps the server's programs out of the path, each version in a folder of its own: the newest.
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
        .expect("no PostgreSQL server here: install the package postgresql")
}

/// An empty database; answers its URL.
pub async fn create_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let cluster = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(start))
        .await
        .unwrap();
    let server = format!("postgres://postgres@127.0.0.1:{}", cluster.port);
    let name = format!("tests_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let mut connection = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .unwrap();
    sqlx::query(AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    format!("{server}/{name}")
}
