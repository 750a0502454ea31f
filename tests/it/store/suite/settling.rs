//! Changes of a webhook with more open deliveries than one transaction updates.

use std::collections::HashMap;

use super::*;

/// The bound of the store.
const MAX_STEP: usize = 4_096;

const COUNT: usize = 9_000;
const SECOND: Duration = Duration::from_secs(1);

struct Backlog {
    fixture: Fixture,
    webhook: WebhookId,
    /// A webhook whose deliveries do not change.
    other: WebhookId,
}

impl Backlog {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        let webhook = fixture.add("long", &["chat"]).await.id;
        let other = fixture.add("other", &["message"]).await.id;
        for batch in 0..COUNT / 1_000 {
            let submission = Submission {
                account_id: fixture.account.clone(),
                events: (0..1_000)
                    .map(|n| event(&format!("{batch}-{n}"), EventType::Chat))
                    .collect(),
            };
            accept(&fixture.store, &[submission], NOW)
                .await
                .remove(0)
                .unwrap();
        }
        fixture.publish("message", EventType::Message).await;
        Self {
            fixture,
            webhook,
            other,
        }
    }

    fn change(&self, at: Timestamp) -> Change {
        self.fixture.change(&self.webhook, at)
    }

    async fn count(&self) -> HashMap<DeliveryStatus, usize> {
        let filter = DeliveryFilter {
            webhook_id: Some(self.webhook.clone()),
            limit: 100_000,
            ..DeliveryFilter::default()
        };
        let account = self.fixture.store.of(&self.fixture.account);
        let mut counts = HashMap::new();
        for delivery in account.list_deliveries(&filter).await.unwrap().deliveries {
            *counts.entry(delivery.status).or_default() += 1;
        }
        counts
    }

    /// Asserts that the change has updated some deliveries, and that the following steps update the rest.
    async fn assert_settles(&self, from: DeliveryStatus, to: DeliveryStatus, at: Timestamp) {
        let first = HashMap::from([(to, MAX_STEP), (from, COUNT - MAX_STEP)]);
        assert_eq!(self.count().await, first);
        let mut steps = 0;
        while self.fixture.store.settle_deliveries(at).await.unwrap() {
            steps += 1;
        }
        assert_eq!(steps, COUNT.div_ceil(MAX_STEP) - 1);
        assert_eq!(self.count().await, HashMap::from([(to, COUNT)]));
    }

    async fn claimed(&self, at: Timestamp) -> HashMap<WebhookId, usize> {
        let mut counts = HashMap::new();
        for delivery in self.fixture.claim(at).await {
            *counts.entry(delivery.webhook_id).or_default() += 1;
        }
        counts
    }
}

#[tokio::test]
async fn long_backlog_is_held_and_sent_in_steps() {
    let backlog = Backlog::new().await;
    let store = &backlog.fixture.store;
    let at = NOW.plus(SECOND);
    store.pause_webhook(&backlog.change(at)).await.unwrap();
    assert_eq!(
        backlog.claimed(at).await,
        HashMap::from([(backlog.other.clone(), 1)]),
        "a paused webhook gets nothing, also from the deliveries that are still pending"
    );
    assert_eq!(
        store.next_due().await.unwrap(),
        Some(at.plus(LEASE)),
        "they do not hide what is due next"
    );
    backlog
        .assert_settles(DeliveryStatus::Pending, DeliveryStatus::Held, at)
        .await;

    let later = at.plus(SECOND);
    store
        .resume_webhook(&backlog.change(later), HeldAction::Send)
        .await
        .unwrap();
    backlog
        .assert_settles(DeliveryStatus::Held, DeliveryStatus::Pending, later)
        .await;
    assert_eq!(backlog.claimed(later).await[&backlog.webhook], 100);
}

#[tokio::test]
async fn long_backlog_is_dropped_in_steps_without_later_events() {
    let backlog = Backlog::new().await;
    let store = &backlog.fixture.store;
    store.pause_webhook(&backlog.change(NOW)).await.unwrap();
    while store.settle_deliveries(NOW).await.unwrap() {}
    let at = NOW.plus(SECOND);
    store
        .resume_webhook(&backlog.change(at), HeldAction::Drop)
        .await
        .unwrap();
    backlog
        .assert_settles(DeliveryStatus::Held, DeliveryStatus::Cancelled, at)
        .await;
    backlog.fixture.publish("new", EventType::Chat).await;
    assert!(!store.settle_deliveries(at).await.unwrap());
    assert_eq!(backlog.claimed(at).await[&backlog.webhook], 1);

    // The choice was for that time: later ones are held and sent.
    store.pause_webhook(&backlog.change(at)).await.unwrap();
    backlog.fixture.publish("held", EventType::Chat).await;
    store
        .resume_webhook(&backlog.change(at), HeldAction::Send)
        .await
        .unwrap();
    assert!(!store.settle_deliveries(at).await.unwrap());
    assert_eq!(backlog.claimed(at).await[&backlog.webhook], 1);
}

#[tokio::test]
async fn long_backlog_of_deleted_webhook_is_cancelled_in_steps() {
    let backlog = Backlog::new().await;
    let store = &backlog.fixture.store;
    let at = NOW.plus(SECOND);
    let deleted = store.delete_webhook(&backlog.change(at), None).await.unwrap();
    let DeleteOutcome::Deleted(deleted) = deleted else {
        panic!("not deleted")
    };
    assert_eq!(deleted.cancelled, COUNT as u64);
    assert_eq!(
        backlog.claimed(at).await,
        HashMap::from([(backlog.other.clone(), 1)])
    );
    backlog
        .assert_settles(DeliveryStatus::Pending, DeliveryStatus::Cancelled, at)
        .await;
}

#[tokio::test]
async fn long_backlog_of_disabled_webhook_is_cancelled_in_steps() {
    const GONE: Outcome = Outcome::Answered {
        status: 410,
        retry_after: None,
    };
    let disable = Next::DisableWebhook(DisabledReason::Gone);
    let backlog = Backlog::new().await;
    let claimed = backlog.fixture.claim(NOW).await;
    let first = claimed
        .iter()
        .find(|delivery| delivery.webhook_id == backlog.webhook);
    backlog.fixture.record(first.unwrap(), GONE, disable).await;
    let webhook = backlog.fixture.webhook(&backlog.webhook).await;
    assert_eq!(webhook.status, WebhookStatus::Disabled);
    let in_progress = backlog.claimed(NOW).await;
    assert!(in_progress.is_empty(), "{in_progress:?}");
    // The leases of the others that were claimed are kept until they expire.
    let store = &backlog.fixture.store;
    while store.settle_deliveries(NOW).await.unwrap() {}
    let leased = claimed.len() - 2;
    assert_eq!(backlog.count().await[&DeliveryStatus::Pending], leased);
    while store.settle_deliveries(NOW.plus(LEASE)).await.unwrap() {}
    assert_eq!(
        backlog.count().await,
        HashMap::from([
            (DeliveryStatus::Failed, 1),
            (DeliveryStatus::Cancelled, COUNT - 1)
        ])
    );
}
