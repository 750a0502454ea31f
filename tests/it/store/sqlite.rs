#![expect(clippy::duplicate_mod, reason = "the suite runs on each database")]

use std::{sync::Arc, time::Duration};

use caleida::{
    domain::{Actor, FieldErrors, Timestamp, Transport, Webhook, WebhookId, WebhookSettings},
    store::{self, Change, NewWebhook, Sealed, Store, StoreError, Unique},
};
use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::support::app::eventually;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);

/// A new database.
pub struct Database {
    pub url: String,
    _folder: TempDir,
}

impl Database {
    pub async fn create() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite://{}", folder.path().join("caleida.db").display()),
            _folder: folder,
        }
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
            let mut errors = FieldErrors::default();
            let settings = WebhookSettings::parse(
                "https://example.com/",
                &name,
                ["chat"],
                Transport::HttpsOnly,
                &mut errors,
            );
            let webhook = NewWebhook {
                change,
                settings: settings.unwrap(),
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
