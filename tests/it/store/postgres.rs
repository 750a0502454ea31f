#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use crate::support::postgres;

/// A database of its own.
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
async fn a_server_that_is_not_there_is_named_as_the_cause_and_its_password_is_not() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let opened = caleida::store::open(&format!("postgres://ada:geheim@{free}/caleida")).await;
    let error = opened.err().expect("nobody is there").to_string();
    assert!(error.contains("refused") && !error.contains("geheim"), "{error}");
}

#[tokio::test]
async fn a_database_that_a_newer_version_has_migrated_is_served() {
    let url = postgres::create_database().await;
    caleida::store::open(&url).await.unwrap();
    postgres::run(
        &url,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'add what nobody here knows', true, '', 0)",
    )
    .await;
    let store = caleida::store::open(&url).await.unwrap();
    store.ready().await.unwrap();
}
