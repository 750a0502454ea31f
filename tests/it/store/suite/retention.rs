//! Deletion of old events.

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// A delivery is dropped, although the event has another one that is pending.
#[tokio::test]
async fn held_deliveries_expire_with_their_events() {
    let fixture = Fixture::new().await;
    fixture.add("active", &["chat"]).await;
    let paused = fixture.add("paused", &["chat"]).await;
    let change = fixture.change(&paused.id, NOW);
    fixture.store.pause_webhook(&change).await.unwrap();
    let second = Duration::from_secs(1);
    for (n, id) in (0..).zip(["a", "b", "c"]) {
        let submission = Submission {
            account_id: fixture.account.clone(),
            events: vec![event(id, EventType::Chat)],
        };
        accept(&fixture.store, &[submission], NOW.plus(n * second)).await;
    }
    let ids = std::slice::from_ref(&paused.id);
    let held = async || {
        let account = fixture.store.of(&fixture.account);
        let held = account.held_deliveries(ids).await.unwrap();
        held.get(&paused.id).map(|held| (held.count, held.oldest))
    };
    assert_eq!(held().await, Some((3, NOW)));
    let expire = async |before| {
        let retention = Retention {
            account: &fixture.account,
            before,
            after: None,
            limit: 100,
            at: NOW.plus(HOUR),
        };
        fixture.store.delete_old_events(retention).await.unwrap().deleted
    };
    assert_eq!(expire(NOW.plus(second)).await, 0, "the other delivery is pending");
    assert_eq!(held().await, Some((2, NOW.plus(second))));
    assert_eq!(fixture.store.count_pending(10).await.unwrap(), 3);
    assert_eq!(expire(NOW.plus(10 * second)).await, 0);
    assert_eq!(held().await, None);
    // Resuming the webhook does not bring them back.
    let resume = fixture.change(&paused.id, NOW.plus(HOUR));
    fixture
        .store
        .resume_webhook(&resume, HeldAction::Send)
        .await
        .unwrap();
    assert_eq!(fixture.store.count_pending(10).await.unwrap(), 3);
}

#[tokio::test]
async fn retention_deletes_old_events_without_open_deliveries() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    let paused = fixture.add("messages", &["message"]).await;
    let pause = fixture.change(&paused.id, NOW);
    fixture.store.pause_webhook(&pause).await.unwrap();
    for index in 0..5 {
        fixture.publish(&format!("chat{index}"), EventType::Chat).await;
    }
    fixture.publish("message", EventType::Message).await;
    for delivery in fixture.claim(NOW).await.into_iter().take(4) {
        fixture.record(&delivery, OK, Next::Delivered).await;
    }
    let later = NOW.plus(Duration::from_secs(60));
    let submission = Submission {
        account_id: fixture.account.clone(),
        events: vec![event("recent", EventType::InsightKey)],
    };
    accept(&fixture.store, &[submission], later).await;

    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let sweep = async |account, before| {
        let (mut deleted, mut after, mut batches) = (0, None, 0);
        loop {
            let retention = Retention {
                account,
                before,
                after,
                limit: 2,
                at: later,
            };
            let batch = fixture.store.delete_old_events(retention).await.unwrap();
            deleted += batch.deleted;
            batches += 1;
            after = batch.next;
            if after.is_none() {
                return (deleted, batches);
            }
        }
    };
    assert_eq!(fixture.store.accounts().await.unwrap().len(), 2);
    assert_eq!(sweep(&other_account, later).await, (0, 1));
    assert_eq!(sweep(&fixture.account, NOW).await, (0, 1), "no event is older");
    // Four events are delivered, and the message is held. One chat is leased, and one event is recent.
    assert_eq!(sweep(&fixture.account, later).await, (5, 4));
    assert_eq!(sweep(&fixture.account, later).await, (0, 1));
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Pending]);
    // The ID of a deleted event can be used again.
    assert_eq!(fixture.publish("chat0", EventType::Chat).await, 1);
    assert_eq!(
        sweep(&fixture.account, later.plus(LEASE)).await.0,
        1,
        "the recent event"
    );
}
