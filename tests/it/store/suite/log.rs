//! The logs of events and deliveries, resending, and held deliveries.

use caleida::{
    domain::{Delivery, EventOutcome, NotSent},
    store::{DeliveryPage, EventFilter, EventPage, ResendOutcome},
};

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);

impl Fixture {
    async fn publish_at(&self, at: Timestamp, event_type: EventType, ids: impl Iterator<Item = String>) {
        let submission = Submission {
            account_id: self.account.clone(),
            events: ids.map(|id| event(&id, event_type)).collect(),
        };
        accept(&self.store, &[submission], at).await.remove(0).unwrap();
    }

    async fn log(&self, filter: DeliveryFilter) -> DeliveryPage {
        let filter = DeliveryFilter { limit: 10, ..filter };
        self.store
            .of(&self.account)
            .list_deliveries(&filter)
            .await
            .unwrap()
    }

    async fn events(&self, filter: EventFilter) -> EventPage {
        let filter = EventFilter { limit: 10, ..filter };
        self.store.of(&self.account).list_events(&filter).await.unwrap()
    }

    async fn only_delivery(&self) -> Delivery {
        let mut page = self.log(DeliveryFilter::default()).await;
        assert_eq!(page.deliveries.len(), 1);
        page.deliveries.remove(0)
    }

    async fn resend(&self, id: &caleida::domain::DeliveryId, at: Timestamp) -> Option<ResendOutcome> {
        self.store.resend_delivery(&self.actor(), id, at).await.unwrap()
    }

    /// Returns, for each webhook, its name and the delivery's status or why nothing was sent.
    async fn outcomes(&self, event: &str) -> Vec<(String, Result<DeliveryStatus, NotSent>)> {
        let id = event.parse().unwrap();
        let detail = self.store.of(&self.account).event(&id).await.unwrap().unwrap();
        let outcomes = detail
            .outcomes
            .into_iter()
            .map(|event_outcome| match event_outcome {
                EventOutcome::Delivery(delivery) => (delivery.webhook_name, Ok(delivery.status)),
                EventOutcome::NotSent {
                    webhook_name, reason, ..
                } => (webhook_name, Err(reason)),
            });
        outcomes.collect()
    }
}

fn ids(page: &DeliveryPage) -> Vec<&str> {
    page.deliveries
        .iter()
        .map(|delivery| delivery.event_id.as_str())
        .collect()
}

#[tokio::test]
async fn delivery_log_pages_newest_first_within_account() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    for index in 0..5 {
        let submission = Submission {
            account_id: fixture.account.clone(),
            events: vec![event(&format!("e{index}"), EventType::Chat)],
        };
        accept(
            &fixture.store,
            &[submission],
            NOW.plus(Duration::from_millis(index)),
        )
        .await;
    }
    let mut filter = DeliveryFilter {
        limit: 2,
        ..DeliveryFilter::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = fixture
            .store
            .of(&fixture.account)
            .list_deliveries(&filter)
            .await
            .unwrap();
        filter.before = page.next;
        seen.extend(
            page.deliveries
                .into_iter()
                .map(|delivery| delivery.event_id.to_string()),
        );
        if filter.before.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["e4", "e3", "e2", "e1", "e0"]);

    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let all = DeliveryFilter {
        limit: 10,
        ..DeliveryFilter::default()
    };
    let own = fixture
        .store
        .of(&fixture.account)
        .list_deliveries(&all)
        .await
        .unwrap()
        .deliveries;
    assert!(
        fixture
            .store
            .of(&other_account)
            .list_deliveries(&all)
            .await
            .unwrap()
            .deliveries
            .is_empty()
    );
    assert!(
        fixture
            .store
            .of(&other_account)
            .delivery(&own[0].id)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        fixture
            .store
            .of(&other_account)
            .webhook(&own[0].webhook_id)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn delivery_log_filters_by_every_field() {
    let fixture = Fixture::new().await;
    let chats = fixture.add("chats", &["chat"]).await;
    fixture.add("all", &["chat", "message"]).await;
    fixture
        .publish_at(NOW, EventType::Chat, ["first".to_owned()].into_iter())
        .await;
    fixture
        .publish_at(
            NOW.plus(HOUR),
            EventType::Message,
            ["second".to_owned()].into_iter(),
        )
        .await;
    fixture
        .publish_at(
            NOW.plus(2 * HOUR),
            EventType::Chat,
            ["third".to_owned()].into_iter(),
        )
        .await;
    fixture
        .store
        .pause_webhook(&fixture.change(&chats.id, NOW.plus(3 * HOUR)))
        .await
        .unwrap();

    let none = DeliveryFilter::default;
    for (filter, expected) in [
        (none(), vec!["third", "third", "second", "first", "first"]),
        (
            DeliveryFilter {
                webhook_id: Some(chats.id.clone()),
                ..none()
            },
            vec!["third", "first"],
        ),
        (
            DeliveryFilter {
                status: Some(DeliveryStatus::Held),
                ..none()
            },
            vec!["third", "first"],
        ),
        (
            DeliveryFilter {
                event_type: Some(EventType::Message),
                ..none()
            },
            vec!["second"],
        ),
        (
            DeliveryFilter {
                event_id: Some("first".parse().unwrap()),
                status: Some(DeliveryStatus::Pending),
                ..none()
            },
            vec!["first"],
        ),
        (
            DeliveryFilter {
                event_id: Some("first".parse().unwrap()),
                ..none()
            },
            vec!["first", "first"],
        ),
        (
            DeliveryFilter {
                since: Some(NOW.plus(HOUR)),
                until: Some(NOW.plus(2 * HOUR)),
                ..none()
            },
            vec!["second"],
        ),
        (
            DeliveryFilter {
                since: Some(NOW.plus(HOUR + Duration::from_millis(1))),
                event_type: Some(EventType::Message),
                ..none()
            },
            vec![],
        ),
    ] {
        let page = fixture.log(filter.clone()).await;
        assert_eq!(ids(&page), expected, "{filter:?}");
        assert_eq!(page.next, None, "{filter:?}");
    }
}

#[tokio::test]
async fn rare_matches_are_found_on_later_pages() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat", "message"]).await;
    fixture
        .publish_at(NOW, EventType::Message, (0..3).map(|n| format!("rare{n}")))
        .await;
    // An event without subscribers.
    fixture
        .publish_at(NOW, EventType::InsightKey, ["unwanted".to_owned()].into_iter())
        .await;
    for batch in 0..11_u64 {
        let ids = (0..500).map(|n| format!("chat{batch}-{n}"));
        let at = NOW.plus(Duration::from_millis(1 + batch));
        fixture.publish_at(at, EventType::Chat, ids).await;
    }

    let rare = DeliveryFilter {
        event_type: Some(EventType::Message),
        ..DeliveryFilter::default()
    };
    let first = fixture.log(rare.clone()).await;
    assert!(first.deliveries.is_empty());
    let before = first.next;
    assert!(before.is_some(), "older deliveries were not searched yet");
    let second = fixture.log(DeliveryFilter { before, ..rare }).await;
    assert_eq!(second.deliveries.len(), 3);
    assert_eq!(second.next, None);

    for (filter, expected) in [
        (
            EventFilter {
                event_type: Some(EventType::Message),
                ..EventFilter::default()
            },
            3,
        ),
        (
            EventFilter {
                unsent: true,
                ..EventFilter::default()
            },
            1,
        ),
    ] {
        let first = fixture.events(filter.clone()).await;
        assert!(first.events.is_empty());
        let before = first.next;
        assert!(before.is_some(), "older deliveries were not searched yet");
        let second = fixture.events(EventFilter { before, ..filter }).await;
        assert_eq!((second.events.len(), second.next), (expected, None));
    }

    // Without a filter, the pages contain each event once.
    let mut filter = EventFilter {
        limit: 700,
        until: Some(NOW.plus(Duration::from_millis(4))),
        ..EventFilter::default()
    };
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = fixture
            .store
            .of(&fixture.account)
            .list_events(&filter)
            .await
            .unwrap();
        for event in page.events {
            assert!(seen.insert(event.id), "listed twice");
        }
        filter.before = page.next;
        if filter.before.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 1_504);
}

#[tokio::test]
async fn resend_makes_delivery_due_with_full_schedule() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("e1", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await.remove(0);
    assert_eq!((claimed.number, claimed.earlier_attempts), (1, 0));
    assert_eq!(
        fixture.resend(&claimed.id, NOW).await,
        Some(ResendOutcome::InProgress)
    );
    fixture.record(&claimed, REFUSED, Next::Failed).await;
    assert_eq!(fixture.only_delivery().await.status, DeliveryStatus::Failed);

    let at = NOW.plus(HOUR);
    assert_eq!(fixture.resend(&claimed.id, at).await, Some(ResendOutcome::Due));
    let delivery = fixture.only_delivery().await;
    assert_eq!(
        (delivery.status, delivery.next_attempt_at, delivery.attempts),
        (DeliveryStatus::Pending, Some(at), 1)
    );
    let again = fixture.claim(at).await.remove(0);
    assert_eq!((again.number, again.earlier_attempts), (2, 1));
    fixture.record(&again, OK, Next::Delivered).await;
    // Successful deliveries can be resent, too.
    assert_eq!(fixture.resend(&claimed.id, at).await, Some(ResendOutcome::Due));
    let third = fixture.claim(at).await.remove(0);
    assert_eq!((third.number, third.earlier_attempts), (3, 2));
    fixture.record(&third, OK, Next::Delivered).await;

    let change = fixture.change(&webhook.id, at);
    fixture.store.pause_webhook(&change).await.unwrap();
    assert_eq!(fixture.resend(&claimed.id, at).await, Some(ResendOutcome::Held));
    assert_eq!(fixture.only_delivery().await.status, DeliveryStatus::Held);
    assert!(fixture.claim(at).await.is_empty());
    fixture
        .store
        .resume_webhook(&change, HeldAction::Send)
        .await
        .unwrap();
    let fourth = fixture.claim(at).await.remove(0);
    fixture
        .record(&fourth, REFUSED, Next::DisableWebhook(DisabledReason::Gone))
        .await;
    assert_eq!(
        fixture.resend(&claimed.id, at).await,
        Some(ResendOutcome::Disabled)
    );
    fixture.store.delete_webhook(&change, None).await.unwrap();
    assert_eq!(
        fixture.resend(&claimed.id, at).await,
        Some(ResendOutcome::Deleted)
    );
    assert_eq!(fixture.only_delivery().await.status, DeliveryStatus::Failed);
    assert!(fixture.claim(at).await.is_empty());

    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let resent = fixture
        .store
        .resend_delivery(&Actor::operator(other_account), &claimed.id, at)
        .await;
    assert_eq!(resent.unwrap(), None);
}

#[tokio::test]
async fn event_shows_outcome_per_webhook() {
    let fixture = Fixture::new().await;
    let before = fixture.add("deleted before", &["chat"]).await;
    let gone = fixture.add("disabled", &["chat"]).await;
    fixture.add("got it", &["chat"]).await;
    let other = fixture.add("other type", &["message"]).await;
    let (minute, change) = (Duration::from_secs(60), |webhook: &Webhook, minutes: u32| {
        fixture.change(&webhook.id, NOW.plus(Duration::from_secs(60) * minutes))
    });
    fixture
        .store
        .delete_webhook(&change(&before, 1), None)
        .await
        .unwrap();
    // One receiver is gone, so its webhook is disabled.
    fixture
        .publish_at(NOW, EventType::Chat, ["e0".to_owned()].into_iter())
        .await;
    for claimed in fixture.claim(NOW).await {
        let next = if claimed.webhook_id == gone.id {
            Next::DisableWebhook(DisabledReason::Gone)
        } else {
            Next::Delivered
        };
        fixture.record(&claimed, REFUSED, next).await;
    }

    let received = NOW.plus(10 * minute);
    fixture
        .publish_at(received, EventType::Chat, ["e1".to_owned()].into_iter())
        .await;
    // Later changes of a webhook do not affect the outcome.
    fixture
        .store
        .resume_webhook(&change(&gone, 20), HeldAction::Send)
        .await
        .unwrap();
    fixture
        .store
        .delete_webhook(&change(&gone, 21), None)
        .await
        .unwrap();
    let update = UpdateWebhook {
        change: change(&other, 22),
        settings: settings("other type", &["chat"]),
        secret: None,
        headers: None,
        expected_version: None,
    };
    fixture.store.update_webhook(update).await.unwrap();
    let added = NOW.plus(30 * minute);
    let late = WebhookId::generate(added);
    fixture
        .store
        .insert_webhook(NewWebhook {
            change: fixture.change(&late, added),
            settings: settings("too late", &["chat"]),
            secret: sealed(1),
            headers: None,
            max_webhooks: 1_000,
        })
        .await
        .unwrap();

    assert_eq!(
        fixture.outcomes("e1").await,
        [
            ("got it".to_owned(), Ok(DeliveryStatus::Pending)),
            ("disabled".to_owned(), Err(NotSent::Disabled)),
            ("other type".to_owned(), Err(NotSent::NotSubscribed)),
            ("too late".to_owned(), Err(NotSent::AddedLater(added))),
        ]
    );
    let other_account = fixture.store.ensure_account("another", NOW).await.unwrap();
    let id = "e1".parse().unwrap();
    assert!(
        fixture
            .store
            .of(&other_account)
            .event(&id)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn held_deliveries_are_sent_or_dropped_on_resume() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    let other = fixture.add("messages", &["message"]).await;
    let change = fixture.change(&webhook.id, NOW);
    for (at, held, status) in [
        (NOW, HeldAction::Drop, DeliveryStatus::Cancelled),
        (NOW.plus(HOUR), HeldAction::Send, DeliveryStatus::Pending),
    ] {
        fixture.store.pause_webhook(&change).await.unwrap();
        let id = [status.as_str().to_owned()];
        fixture.publish_at(at, EventType::Chat, id.into_iter()).await;
        let open = fixture
            .store
            .of(&fixture.account)
            .open_deliveries(&webhook.id)
            .await;
        assert_eq!(open.unwrap(), OpenDeliveries { pending: 0, held: 1 });
        let ids = [other.id.clone(), webhook.id.clone()];
        let held_by = fixture
            .store
            .of(&fixture.account)
            .held_deliveries(&ids)
            .await
            .unwrap();
        let expected = HeldDeliveries { count: 1, oldest: at };
        assert_eq!(held_by, [(webhook.id.clone(), expected)].into());
        fixture.store.resume_webhook(&change, held).await.unwrap();
        let page = fixture.log(DeliveryFilter::default()).await;
        assert_eq!(page.deliveries[0].status, status);
    }
    let claimed = fixture.claim(NOW).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].event_id.as_str(), "pending");
}
