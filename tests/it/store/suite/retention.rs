//! What is old goes.

use super::*;
#[tokio::test]
async fn old_events_go_with_all_that_is_theirs_unless_something_is_still_to_be_sent() {
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

    let elsewhere = fixture.store.ensure_account("another", NOW).await.unwrap();
    let sweep = async |account, before| {
        let (mut deleted, mut after, mut batches) = (0, None, 0);
        loop {
            let retention = Retention {
                account,
                before,
                after,
                limit: 2,
            };
            let swept = fixture.store.delete_old_events(retention).await.unwrap();
            deleted += swept.deleted;
            batches += 1;
            after = swept.until;
            if after.is_none() {
                return (deleted, batches);
            }
        }
    };
    assert_eq!(fixture.store.accounts().await.unwrap().len(), 2);
    assert_eq!(sweep(&elsewhere, later).await, (0, 1));
    assert_eq!(sweep(&fixture.account, NOW).await, (0, 1), "none is older");
    // Four are done; one chat has a lease, the message is held, and one is not old yet.
    assert_eq!(sweep(&fixture.account, later).await, (4, 4));
    assert_eq!(sweep(&fixture.account, later).await, (0, 2));
    let left: Vec<_> = fixture.statuses().await;
    assert_eq!(left.len(), 2);
    assert!(left.contains(&DeliveryStatus::Pending) && left.contains(&DeliveryStatus::Held));
    // Its id is free again: what is forgotten cannot be told from what never was.
    assert_eq!(fixture.publish("chat0", EventType::Chat).await, 1);
    assert_eq!(
        sweep(&fixture.account, later.plus(LEASE)).await.0,
        1,
        "the recent one"
    );
}
