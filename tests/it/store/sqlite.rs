#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use std::{sync::Arc, time::Duration};

use caleida::{
    domain::{AccountId, Actor, EventType, Timestamp, Webhook, WebhookId},
    store::{
        self, Change, Leasing, NewEvent, NewWebhook, Retention, Sealed, Store, StoreError, Submission, Unique,
    },
};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::support::{
    app::eventually,
    stored::{accept_events, settings},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// A new database.
pub struct Database {
    pub url: String,
    folder: TempDir,
}

impl Database {
    pub async fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite://{}", folder.path().join("caleida.db").display()),
            folder,
        }
    }

    fn size_of(&self, suffix: &str) -> u64 {
        let path = self.folder.path().join(format!("caleida.db{suffix}"));
        std::fs::metadata(path).unwrap().len()
    }
}

#[path = "suite.rs"]
mod suite;

/// Returns whether another connection can start a write transaction.
async fn is_unlocked(url: &str) -> bool {
    let options: SqliteConnectOptions = url.parse().unwrap();
    let mut other = options.busy_timeout(Duration::ZERO).connect().await.unwrap();
    sqlx::raw_sql("begin immediate; rollback")
        .execute(&mut other)
        .await
        .is_ok()
}

/// Returns the store and a function that adds a webhook.
async fn store_to_fill(
    url: &str,
) -> (
    Arc<Store>,
    impl Fn(String) -> JoinHandle<Result<Webhook, StoreError>>,
) {
    let store = store::open(url).await.unwrap();
    let account = store.ensure_account("tests", NOW).await.unwrap();
    let filled = Arc::clone(&store);
    let add = move |name: String| {
        let (store, account) = (Arc::clone(&filled), account.clone());
        tokio::spawn(async move {
            let actor = Actor::operator(account);
            let change = Change::new(&actor, WebhookId::generate(NOW), NOW);
            let webhook = NewWebhook {
                change,
                settings: settings(&name),
                headers: None,
                secret: Sealed {
                    key_id: "key".to_owned(),
                    ciphertext: vec![0; 60],
                },
                max_webhooks: 1_000,
            };
            store.insert_webhook(webhook).await
        })
    };
    (store, add)
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writes_fail_independently() {
    let database = Database::create().await;
    let (store, add) = store_to_fill(&database.url).await;
    // Every second insert uses the same name.
    let adding: Vec<_> = (0..100)
        .map(|n| {
            add(if n % 2 == 0 {
                format!("w{n}")
            } else {
                "taken".to_owned()
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for added in adding {
        outcomes.push(added.await.unwrap());
    }
    let added = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(added, 51);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert!(
            matches!(error, StoreError::Conflict(Unique::WebhookName)),
            "{error}"
        );
    }
    let account = &store.accounts().await.unwrap()[0];
    let names = store.of(account).webhook_names().await.unwrap();
    assert_eq!(names.len(), 51);
    assert!(is_unlocked(&database.url).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelled_write_is_rolled_back() {
    let database = Database::create().await;
    let (store, add) = store_to_fill(&database.url).await;
    for round in 0..20 {
        let adding: Vec<_> = (0..10).map(|n| add(format!("w{round}-{n}"))).collect();
        tokio::time::sleep(Duration::from_micros(100 * round)).await;
        for added in &adding {
            added.abort();
        }
        for added in adding {
            let _ = added.await;
        }
        let added = add(format!("kept{round}")).await.unwrap();
        added.expect("the writer continues");
    }
    // The last cancelled write is rolled back even without further writes.
    let unlocked = eventually(|| async { is_unlocked(&database.url).await.then_some(()) });
    unlocked.await.expect("the file is unlocked");
    let account = &store.accounts().await.unwrap()[0];
    let names = store.of(account).webhook_names().await.unwrap();
    let kept = names.iter().filter(|(_, name)| name.starts_with("kept")).count();
    assert_eq!(kept, 20);
}

const MIB: u64 = 1024 * 1024;

/// Stores events of one mebibyte in total.
async fn store_a_mebibyte(store: &Store, account: &AccountId, number: usize) {
    let events = (0..128).map(|event| NewEvent {
        id: format!("event-{number}-{event}").parse().unwrap(),
        idempotency_key: None,
        event_type: EventType::Chat,
        occurred_at: NOW,
        payload: vec![b'x'; 8 * 1024].into(),
        fingerprint: [1; 32],
    });
    let submission = Submission {
        account_id: account.clone(),
        events: events.collect(),
    };
    accept_events(store, &[submission], NOW, Leasing::NONE).await;
}

async fn delete_events(store: &Store, account: &AccountId) {
    let mut after = None;
    loop {
        let later = NOW.plus(Duration::from_secs(60));
        let retention = Retention {
            account,
            before: later,
            after,
            limit: 200,
            at: later,
        };
        after = store.delete_old_events(retention).await.unwrap().next;
        if after.is_none() {
            return;
        }
    }
}

async fn execute(connection: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn file_shrinks_after_events_were_deleted() {
    let database = Database::create().await;
    let store = store::open(&database.url).await.unwrap();
    let account = store.ensure_account("tests", NOW).await.unwrap();
    for number in 0..20 {
        store_a_mebibyte(&store, &account, number).await;
    }
    // An event that is kept, at the end of the file.
    let kept = Submission {
        account_id: account.clone(),
        events: vec![NewEvent {
            id: "kept".parse().unwrap(),
            idempotency_key: None,
            event_type: EventType::Chat,
            occurred_at: NOW,
            payload: vec![b'k'; 100_000].into(),
            fingerprint: [2; 32],
        }],
    };
    let later = NOW.plus(Duration::from_secs(120));
    accept_events(&store, &[kept], later, Leasing::NONE).await;
    delete_events(&store, &account).await;
    let mut steps = 1;
    while store.shrink().await.unwrap() {
        steps += 1;
    }
    // A step returns at most 100 pages of 4 KiB.
    assert!((40..100).contains(&steps), "{steps} steps");
    let size = database.size_of("");
    assert!(size < 3 * MIB, "{size}");
    let filter = store::EventFilter {
        limit: 10,
        ..store::EventFilter::default()
    };
    let events = store.of(&account).list_events(&filter).await.unwrap();
    assert_eq!(events.events.len(), 1);
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    let check: String = sqlx::query_scalar("pragma integrity_check")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(check, "ok");
    // Some free pages are kept for the next events.
    assert!(!store.shrink().await.unwrap());
}

#[tokio::test]
async fn log_shrinks_after_it_has_grown() {
    let database = Database::create().await;
    let store = store::open(&database.url).await.unwrap();
    let account = store.ensure_account("tests", NOW).await.unwrap();
    // A long read keeps the log from being emptied.
    let mut reader = SqliteConnection::connect(&database.url).await.unwrap();
    execute(&mut reader, "begin; select count(*) from events").await;
    for number in 0..60 {
        store_a_mebibyte(&store, &account, number).await;
    }
    assert!(database.size_of("-wal") > 50 * MIB);
    execute(&mut reader, "commit").await;
    // One commit copies the log into the file, and the next one starts it again.
    for number in 60..63 {
        store_a_mebibyte(&store, &account, number).await;
    }
    let size = database.size_of("-wal");
    assert!(size <= 25 * MIB, "{size}");
}

#[tokio::test]
async fn file_that_was_created_without_auto_vacuum_is_used() {
    let database = Database::create().await;
    let options: SqliteConnectOptions = database.url.parse().unwrap();
    let mut first = options.create_if_missing(true).connect().await.unwrap();
    execute(
        &mut first,
        "pragma auto_vacuum = none; create table other (a); drop table other",
    )
    .await;
    first.close().await.unwrap();

    let store = store::open(&database.url).await.unwrap();
    let account = store.ensure_account("tests", NOW).await.unwrap();
    for number in 0..5 {
        store_a_mebibyte(&store, &account, number).await;
    }
    delete_events(&store, &account).await;
    assert!(!store.shrink().await.unwrap());
    store_a_mebibyte(&store, &account, 5).await;
}
