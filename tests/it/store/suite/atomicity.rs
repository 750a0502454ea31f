//! Operations that are cancelled inside their transaction, as if the process were killed there.

use super::*;
use crate::support::breakpoints::{Breakpoints, Point};

/// Runs the operation up to a point inside its transaction and cancels it there.
async fn abandon(
    breakpoints: &Breakpoints,
    point: Point,
    operation: impl Future<Output = ()> + Send + 'static,
) {
    let breakpoint = breakpoints.set(point);
    let running = tokio::spawn(operation);
    breakpoint.reached().await;
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled(), "{point}");
    // The operation passes this point from now on.
    breakpoint.release();
}

#[tokio::test(flavor = "multi_thread")]
async fn event_is_not_stored_without_its_deliveries() {
    let fixture = Fixture::new().await;
    let breakpoints = Breakpoints::install(&fixture.store);
    fixture.add("chats", &["chat"]).await;
    let submission = Submission {
        account_id: fixture.account.clone(),
        events: vec![event("a", EventType::Chat)],
    };

    let (store, submissions) = (Arc::clone(&fixture.store), [submission]);
    abandon(&breakpoints, "accept_events: events inserted", async move {
        accept(&store, &submissions, NOW).await;
    })
    .await;

    let id = "a".parse().unwrap();
    let stored = fixture.store.of(&fixture.account).event(&id).await.unwrap();
    assert!(stored.is_none());
    assert_eq!(fixture.statuses().await, []);
    // Stored as a new event, with its delivery.
    assert_eq!(fixture.publish("a", EventType::Chat).await, 1);
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Pending]);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempt_is_not_recorded_without_the_state_of_its_delivery() {
    let fixture = Fixture::new().await;
    let breakpoints = Breakpoints::install(&fixture.store);
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    let delivery = fixture.claim(NOW).await.remove(0);
    let attempts = [recorded(&delivery, OK, Next::Delivered)];
    let count = async || {
        let detail = fixture.store.of(&fixture.account).delivery(&delivery.id).await;
        detail.unwrap().unwrap().attempts.len()
    };

    for point in [
        "record_attempts: attempts inserted",
        "record_attempts: deliveries updated",
    ] {
        let (store, attempts) = (Arc::clone(&fixture.store), attempts.clone());
        abandon(&breakpoints, point, async move {
            store.record_attempts(&attempts).await.unwrap();
        })
        .await;
        assert_eq!(count().await, 0, "{point}");
        assert_eq!(fixture.statuses().await, [DeliveryStatus::Pending], "{point}");
        assert!(
            fixture.webhook(&webhook.id).await.last_attempt.is_none(),
            "{point}"
        );
    }

    fixture.store.record_attempts(&attempts).await.unwrap();
    assert_eq!(count().await, 1);
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Delivered]);
}
