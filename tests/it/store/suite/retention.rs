//! Deletion of old events.

use super::*;
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
    // Four events are delivered. One chat is leased, the message is held, and one event is recent.
    assert_eq!(sweep(&fixture.account, later).await, (4, 4));
    assert_eq!(sweep(&fixture.account, later).await, (0, 2));
    let statuses = fixture.statuses().await;
    assert_eq!(statuses.len(), 2);
    assert!(statuses.contains(&DeliveryStatus::Pending) && statuses.contains(&DeliveryStatus::Held));
    // The ID of a deleted event can be used again.
    assert_eq!(fixture.publish("chat0", EventType::Chat).await, 1);
    assert_eq!(
        sweep(&fixture.account, later.plus(LEASE)).await.0,
        1,
        "the recent event"
    );
}
