//! The webhook limit, and pagination of webhooks and recoveries.

use caleida::domain::{RecoveryId, RecoveryScope};
use caleida::store::RecoveryRange;

use super::*;

#[tokio::test]
async fn webhook_limit_holds_under_concurrent_inserts() {
    let fixture = Fixture::new().await;
    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let adding = (0..12).map(|n| {
        let store = Arc::clone(&fixture.store);
        let account_id = if n % 3 == 0 {
            &other_account
        } else {
            &fixture.account
        };
        let webhook = NewWebhook {
            change: Change {
                account_id: account_id.clone(),
                ..fixture.change(&WebhookId::generate(NOW), NOW)
            },
            settings: settings(&format!("w{n}"), &["chat"]),
            secret: sealed(1),
            headers: None,
            max_webhooks: 5,
        };
        tokio::spawn(async move { store.insert_webhook(webhook).await })
    });
    let adding: Vec<_> = adding.collect();
    let mut refused = 0;
    for added in adding {
        match added.await.unwrap() {
            Ok(_) => {}
            Err(StoreError::LimitReached) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let filter = WebhookFilter::default();
    let first = fixture
        .store
        .of(&fixture.account)
        .list_webhooks(&filter)
        .await
        .unwrap();
    let second = fixture
        .store
        .of(&other_account)
        .list_webhooks(&filter)
        .await
        .unwrap();
    assert_eq!((first.total, second.total, refused), (5, 4, 3));

    // Deleted webhooks do not count.
    let change = fixture.change(&first.webhooks[0].id, NOW);
    fixture.store.delete_webhook(&change, None).await.unwrap();
    let again = |name: &str| NewWebhook {
        change: fixture.change(&WebhookId::generate(NOW), NOW),
        settings: settings(name, &["chat"]),
        secret: sealed(1),
        headers: None,
        max_webhooks: 5,
    };
    assert!(fixture.store.insert_webhook(again("one")).await.is_ok());
    let full = fixture.store.insert_webhook(again("two")).await;
    assert!(matches!(full, Err(StoreError::LimitReached)));
}

#[tokio::test]
async fn webhook_list_continues_from_cursor() {
    let fixture = Fixture::new().await;
    for n in 0..5 {
        fixture.add(&format!("w{n}"), &["chat"]).await;
    }
    let (mut seen, mut before) = (Vec::new(), None);
    for expected in [2, 2, 1, 0] {
        let filter = WebhookFilter {
            before: before.clone(),
            limit: 2,
            ..WebhookFilter::default()
        };
        let page = fixture
            .store
            .of(&fixture.account)
            .list_webhooks(&filter)
            .await
            .unwrap();
        assert_eq!((page.webhooks.len(), page.matching), (expected, 5));
        seen.extend(page.webhooks.into_iter().map(|webhook| webhook.id));
        before = seen.last().cloned();
    }
    assert!(seen.is_sorted_by(|newer, older| newer > older), "{seen:?}");
    assert_eq!(seen.len(), 5);
}

#[tokio::test]
async fn recoveries_are_listed_per_webhook_from_cursor() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await.id;
    let other = fixture.add("others", &["chat"]).await.id;
    let mut started = Vec::new();
    for n in 0..3 {
        let at = NOW.plus(Duration::from_secs(n));
        let id = RecoveryId::generate(at);
        let range = RecoveryRange {
            scope: RecoveryScope::Failed,
            since: NOW,
            until: at,
        };
        let change = fixture.change(&webhook, at);
        fixture.store.start_recovery(&id, &change, range).await.unwrap();
        fixture.store.cancel_recovery(&id, &change).await.unwrap();
        started.push(id);
    }
    let (store, account) = (&fixture.store, &fixture.account);
    let newest = store.of(account).recoveries(&webhook, None, 2).await.unwrap();
    let ids: Vec<_> = newest.into_iter().map(|recovery| recovery.id).collect();
    assert_eq!(ids, [started[2].clone(), started[1].clone()]);
    let rest = store
        .of(account)
        .recoveries(&webhook, ids.last(), 2)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].id, started[0]);

    let found = store.of(account).recovery(&webhook, &started[1]).await.unwrap();
    assert_eq!(found.unwrap().id, started[1]);
    assert!(
        store
            .of(account)
            .recovery(&other, &started[1])
            .await
            .unwrap()
            .is_none()
    );
    let other_account = store.ensure_account("another", NOW).await.unwrap();
    assert!(
        store
            .of(&other_account)
            .recovery(&webhook, &started[1])
            .await
            .unwrap()
            .is_none()
    );
}
