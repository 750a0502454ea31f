//! Recoveries: resending failed and missed events.

use caleida::{
    domain::{Recovery, RecoveryId, RecoveryScope, RecoveryState},
    store::{RecoveryProgress, RecoveryRange, RecoveryStart},
};

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

impl Fixture {
    async fn publish_many(&self, at: Timestamp, event_type: EventType, ids: impl Iterator<Item = String>) {
        let submission = Submission {
            account_id: self.account.clone(),
            events: ids.map(|id| event(&id, event_type)).collect(),
        };
        accept(&self.store, &[submission], at).await.remove(0).unwrap();
    }

    async fn start(
        &self,
        webhook: &WebhookId,
        scope: RecoveryScope,
        since: Timestamp,
        now: Timestamp,
    ) -> RecoveryStart {
        let range = RecoveryRange {
            scope,
            since,
            until: now,
        };
        let (id, change) = (RecoveryId::generate(now), self.change(webhook, now));
        self.store.start_recovery(&id, &change, range).await.unwrap()
    }

    async fn newest(&self, webhook: &WebhookId) -> Recovery {
        self.store
            .of(&self.account)
            .recoveries(webhook, None, 1)
            .await
            .unwrap()
            .remove(0)
    }

    /// Advances the only running recovery.
    async fn advance(&self, now: Timestamp) -> RecoveryProgress {
        let running = self.store.running_recoveries().await.unwrap();
        assert_eq!(running.len(), 1);
        self.store.advance_recovery(&running[0], now).await.unwrap()
    }

    /// Returns event ID and status of each delivery of the webhook, ordered by event ID.
    async fn log_of(&self, webhook: &WebhookId) -> Vec<(String, DeliveryStatus)> {
        let filter = DeliveryFilter {
            webhook_id: Some(webhook.clone()),
            limit: 2_000,
            ..DeliveryFilter::default()
        };
        let page = self
            .store
            .of(&self.account)
            .list_deliveries(&filter)
            .await
            .unwrap();
        let deliveries = page.deliveries.into_iter();
        let mut log: Vec<_> = deliveries
            .map(|delivery| (delivery.event_id.to_string(), delivery.status))
            .collect();
        log.sort_by(|a, b| a.0.cmp(&b.0));
        log
    }
}

fn one(id: &str) -> impl Iterator<Item = String> {
    [id.to_owned()].into_iter()
}

#[tokio::test]
async fn recovery_sends_failed_or_missed_events() {
    use DeliveryStatus::{Cancelled, Delivered, Failed, Pending};

    for (scope, found, expected) in [
        (
            RecoveryScope::Failed,
            1,
            vec![
                ("cancelled", Cancelled),
                ("delivered", Delivered),
                ("failed", Pending),
                ("long-ago", Failed),
            ],
        ),
        (
            RecoveryScope::Missed,
            3,
            vec![
                ("before", Pending),
                ("cancelled", Pending),
                ("delivered", Delivered),
                ("failed", Pending),
                ("long-ago", Failed),
            ],
        ),
    ] {
        let fixture = Fixture::new().await;
        let other = fixture.add("other", &["message"]).await;
        // No webhook subscribes to this event, now or later.
        fixture
            .publish_many(NOW, EventType::InsightKey, one("unwanted"))
            .await;
        fixture
            .publish_many(NOW.plus(5 * MINUTE), EventType::Chat, one("before"))
            .await;
        let webhook = fixture.add("chats", &["chat"]).await;
        // Received before the range.
        fixture.publish_many(NOW, EventType::Chat, one("long-ago")).await;
        fixture
            .publish_many(NOW.plus(6 * MINUTE), EventType::Chat, one("failed"))
            .await;
        fixture
            .publish_many(NOW.plus(7 * MINUTE), EventType::Chat, one("delivered"))
            .await;
        fixture
            .publish_many(NOW.plus(7 * MINUTE), EventType::Message, one("for-the-other"))
            .await;
        let now = NOW.plus(10 * MINUTE);
        for claimed in fixture.claim(now).await {
            let (outcome, next) = match claimed.event_id.as_str() {
                "delivered" => (OK, Next::Delivered),
                _ => (REFUSED, Next::Failed),
            };
            fixture.record(&claimed, outcome, next).await;
        }
        let change = fixture.change(&webhook.id, now);
        fixture.store.pause_webhook(&change).await.unwrap();
        fixture
            .publish_many(NOW.plus(8 * MINUTE), EventType::Chat, one("cancelled"))
            .await;
        let since = NOW.plus(MINUTE);
        assert_eq!(
            fixture.start(&webhook.id, scope, since, now).await,
            RecoveryStart::WebhookInactive
        );
        fixture
            .store
            .resume_webhook(&change, HeldAction::Drop)
            .await
            .unwrap();

        let range = RecoveryRange {
            scope,
            since,
            until: now,
        };
        let preview = fixture
            .store
            .of(&fixture.account)
            .preview_recovery(&webhook.id, range)
            .await;
        let preview = preview.unwrap();
        assert_eq!((preview.count, preview.more), (found, false));
        assert_eq!(preview.first.len(), usize::try_from(found).unwrap());

        assert_eq!(
            fixture.start(&webhook.id, scope, since, now).await,
            RecoveryStart::Started
        );
        assert_eq!(
            fixture.start(&webhook.id, scope, since, now).await,
            RecoveryStart::AlreadyRunning
        );
        assert_eq!(fixture.advance(now).await, RecoveryProgress::Ended);
        let recovery = fixture.newest(&webhook.id).await;
        assert_eq!(
            (recovery.state, recovery.recovered, recovery.progress()),
            (RecoveryState::Done, found, 100)
        );
        let log = fixture.log_of(&webhook.id).await;
        let log: Vec<_> = log.iter().map(|(id, status)| (id.as_str(), *status)).collect();
        assert_eq!(log, expected, "{scope:?}");
        assert_eq!(
            fixture.log_of(&other.id).await.len(),
            1,
            "other webhooks are unaffected"
        );
        // Resent deliveries start with a full retry schedule.
        let claimed = fixture.claim(now).await;
        assert_eq!(claimed.len(), usize::try_from(found).unwrap());
        let failed = claimed
            .iter()
            .find(|claimed| claimed.event_id.as_str() == "failed")
            .unwrap();
        assert_eq!((failed.number, failed.earlier_attempts), (2, 1));
    }
}

#[tokio::test]
async fn recovery_is_throttled_and_can_be_cancelled() {
    let fixture = Fixture::new().await;
    for batch in 0..3_u32 {
        let ids = (0..500).map(|n| format!("e{batch}-{n}"));
        fixture
            .publish_many(NOW.plus(MINUTE * batch), EventType::Chat, ids)
            .await;
    }
    let webhook = fixture.add("chats", &["chat"]).await;
    let now = NOW.plus(10 * MINUTE);
    assert_eq!(
        fixture.start(&webhook.id, RecoveryScope::Missed, NOW, now).await,
        RecoveryStart::Started
    );
    assert_eq!(fixture.advance(now).await, RecoveryProgress::More);
    // 500 deliveries are due, so no more are added until some are sent.
    assert_eq!(fixture.advance(now).await, RecoveryProgress::Wait);
    let recovery = fixture.newest(&webhook.id).await;
    assert_eq!(
        (recovery.state, recovery.recovered),
        (RecoveryState::Running, 500)
    );
    assert!(recovery.progress() < 20, "{}", recovery.progress());
    for claimed in fixture.claim_some(now, 100, 100, &[]).await {
        fixture.record(&claimed, OK, Next::Delivered).await;
    }
    assert_eq!(fixture.advance(now).await, RecoveryProgress::More);
    assert_eq!(fixture.newest(&webhook.id).await.recovered, 1_000);

    // A recovery of another webhook cannot be cancelled.
    let other = fixture.add("other", &["chat"]).await;
    let cancelled = fixture
        .store
        .cancel_recovery(&recovery.id, &fixture.change(&other.id, now))
        .await;
    assert!(!cancelled.unwrap());
    let change = fixture.change(&webhook.id, now);
    assert!(
        fixture
            .store
            .cancel_recovery(&recovery.id, &change)
            .await
            .unwrap()
    );
    assert!(
        !fixture
            .store
            .cancel_recovery(&recovery.id, &change)
            .await
            .unwrap()
    );
    assert_eq!(
        fixture.store.advance_recovery(&recovery.id, now).await.unwrap(),
        RecoveryProgress::Ended
    );
    let recovery = fixture.newest(&webhook.id).await;
    assert_eq!(
        (recovery.state, recovery.recovered),
        (RecoveryState::Cancelled, 1_000)
    );
    assert_eq!(fixture.log_of(&webhook.id).await.len(), 1_000);

    // Deleting the webhook ends its recovery.
    assert_eq!(
        fixture.start(&webhook.id, RecoveryScope::Missed, NOW, now).await,
        RecoveryStart::Started
    );
    fixture.store.delete_webhook(&change, None).await.unwrap();
    assert_eq!(fixture.advance(now).await, RecoveryProgress::Ended);
    assert_eq!(fixture.newest(&webhook.id).await.state, RecoveryState::Cancelled);
    assert!(fixture.claim(now.plus(10 * MINUTE)).await.is_empty());
}
