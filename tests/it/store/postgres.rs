#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use crate::support::postgres;

/// A new database.
pub struct Database {
    pub url: String,
}

impl Database {
    pub async fn create() -> Self {
        Self {
            url: postgres::create_database().await,
        }
    }
}

#[path = "suite.rs"]
mod suite;

#[tokio::test]
async fn connection_error_names_cause_but_not_password() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let opened = caleida::store::open(&format!("postgres://ada:geheim@{free}/caleida")).await;
    let error = opened.err().expect("the connection fails").to_string();
    assert!(error.contains("refused") && !error.contains("geheim"), "{error}");
}

#[tokio::test]
async fn opens_database_migrated_by_newer_version() {
    let url = postgres::create_database().await;
    caleida::store::open(&url).await.unwrap();
    postgres::run(
        &url,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'add an unknown table', true, '', 0)",
    )
    .await;
    let store = caleida::store::open(&url).await.unwrap();
    store.ready().await.unwrap();
}
