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

#[tokio::test]
async fn database_of_another_encoding_is_refused_before_its_migration() {
    let url = postgres::create_database().await;
    let (server, name) = url.rsplit_once('/').unwrap();
    let (administration, latin1) = (format!("{server}/postgres"), format!("{name}_latin1"));
    let create = format!("create database {latin1} template template0 encoding 'LATIN1' locale 'C'");
    postgres::run(&administration, &create).await;
    let opened = caleida::store::open(&format!("{server}/{latin1}")).await;
    let error = opened.err().expect("the encoding is refused").to_string();
    assert!(error.contains("LATIN1") && error.contains("UTF8"), "{error}");
}

/// A serializable transaction fails if others change what it has read, and expects to be repeated.
#[tokio::test]
async fn default_isolation_of_the_database_does_not_matter() {
    let url = postgres::create_database().await;
    let (_, name) = url.rsplit_once('/').unwrap();
    let isolation = format!("alter database {name} set default_transaction_isolation = 'serializable'");
    postgres::run(&url, &isolation).await;
    let store = caleida::store::open(&url).await.unwrap();
    let now = caleida::domain::Timestamp::from_millis(1_795_428_000_000);
    let mut creating = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = std::sync::Arc::clone(&store);
        creating.spawn(async move {
            store
                .ensure_account(&format!("account {}", number % 10), now)
                .await
        });
    }
    for created in creating.join_all().await {
        created.unwrap();
    }
}
