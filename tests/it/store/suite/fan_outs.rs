//! Events with more deliveries than one commit stores.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use caleida::{
    domain::filter::Filter,
    store::{Acceptance, EvaluatedFilter, Evaluation},
};

/// The bounds of the store: deliveries that are stored with their events, and those of a step.
const MAX_DIRECT: usize = 4_096;
const MAX_STEP: usize = 1_000;

const SECOND: Duration = Duration::from_secs(1);

impl Fixture {
    async fn add_many(&self, count: usize, events: &[&str]) -> Vec<WebhookId> {
        let mut ids = Vec::with_capacity(count);
        for n in 0..count {
            ids.push(self.add(&format!("{}-{n}", events[0]), events).await.id);
        }
        ids
    }

    fn submission(&self, prefix: &str, event_type: EventType, count: usize) -> Submission {
        Submission {
            account_id: self.account.clone(),
            events: (0..count)
                .map(|n| event(&format!("{prefix}-{n}"), event_type))
                .collect(),
        }
    }

    /// Stores all missing deliveries. Returns the number of steps.
    async fn fan_out_all(&self, now: Timestamp) -> usize {
        let mut steps = 0;
        let mut count = self.count_deliveries().await;
        while self.store.advance_fan_outs(None, now).await.unwrap().is_some() {
            steps += 1;
            let stored = self.count_deliveries().await;
            assert!(stored - count <= MAX_STEP, "{} in one step", stored - count);
            count = stored;
        }
        steps
    }

    /// Returns the status of each delivery by event and webhook. Fails if an event has two to the same webhook.
    async fn delivered_to(&self) -> BTreeMap<(String, WebhookId), DeliveryStatus> {
        let filter = DeliveryFilter {
            limit: 100_000,
            ..DeliveryFilter::default()
        };
        let account = self.store.of(&self.account);
        let page = account.list_deliveries(&filter).await.unwrap();
        let mut found = BTreeMap::new();
        for delivery in page.deliveries {
            let pair = (delivery.event_id.to_string(), delivery.webhook_id);
            let twice = found.insert(pair, delivery.status);
            assert_eq!(twice, None, "an event has two deliveries to one webhook");
        }
        found
    }

    async fn count_deliveries(&self) -> usize {
        self.delivered_to().await.len()
    }
}

#[tokio::test]
async fn deliveries_beyond_one_commit_are_stored_in_steps() {
    let fixture = Fixture::new().await;
    let webhooks = fixture.add_many(30, &["chat"]).await;
    let events = 250;
    let submission = fixture.submission("big", EventType::Chat, events);
    let accepted = accept(&fixture.store, &[submission], NOW)
        .await
        .remove(0)
        .unwrap();
    assert!(accepted.iter().all(|event| event.deliveries == 30));
    let direct = fixture.count_deliveries().await;
    assert!(direct <= MAX_DIRECT && direct > MAX_DIRECT - 30, "{direct}");

    // A repeated request does not add any.
    let submission = fixture.submission("big", EventType::Chat, events);
    let repeated = accept(&fixture.store, &[submission], NOW)
        .await
        .remove(0)
        .unwrap();
    assert!(
        repeated
            .iter()
            .all(|event| event.repeated && event.deliveries == 30)
    );

    let steps = fixture.fan_out_all(NOW.plus(SECOND)).await;
    assert_eq!(steps, (events * 30 - direct).div_ceil(MAX_STEP));
    let found = fixture.delivered_to().await;
    assert_eq!(found.len(), events * 30);
    assert!(found.values().all(|status| *status == DeliveryStatus::Pending));
    let reached: BTreeSet<_> = found.keys().map(|(_, webhook)| webhook.clone()).collect();
    assert_eq!(reached, webhooks.into_iter().collect());
}

#[tokio::test]
async fn one_event_can_go_to_more_webhooks_than_a_step_visits() {
    let fixture = Fixture::new().await;
    let database = &fixture.store;
    for n in 0..2_100 {
        let id = WebhookId::generate(NOW);
        let webhook = NewWebhook {
            change: fixture.change(&id, NOW),
            settings: settings(&format!("webhook {n}"), &["chat"]),
            secret: sealed(1),
            headers: None,
            max_webhooks: 10_000,
        };
        database.insert_webhook(webhook).await.unwrap();
    }
    let submission = fixture.submission("big", EventType::Chat, 3);
    accept(database, &[submission], NOW).await.remove(0).unwrap();
    assert_eq!(fixture.count_deliveries().await, 2_100);
    assert_eq!(fixture.fan_out_all(NOW).await, 5);
    assert_eq!(fixture.count_deliveries().await, 3 * 2_100);
}

#[tokio::test]
async fn filters_also_apply_to_deliveries_that_are_stored_later() {
    let fixture = Fixture::new().await;
    fixture.add_many(30, &["chat"]).await;
    let id = WebhookId::generate(NOW);
    let mut filtered = settings("filtered", &["chat"]);
    let filter = r#"{"all":[{"field":"of","op":"in","value":["big-3","big-240"]}]}"#;
    filtered.options.filter = Some(Filter::parse_text(filter).unwrap());
    let webhook = NewWebhook {
        change: fixture.change(&id, NOW),
        settings: filtered,
        secret: sealed(1),
        headers: None,
        max_webhooks: 10_000,
    };
    let webhook = fixture.store.insert_webhook(webhook).await.unwrap();
    let mut submission = fixture.submission("big", EventType::Chat, 250);
    let mut evaluated = EvaluatedFilter::new(webhook.version);
    for (n, event) in (0..).zip(&mut submission.events) {
        event.fingerprint = [n; 32];
        if !["big-3", "big-240"].contains(&event.id.as_str()) {
            evaluated.exclude(event);
        }
    }
    let mut evaluation = Evaluation::default();
    evaluation
        .of_account(&fixture.account)
        .insert(id.clone(), evaluated);
    let stored = fixture
        .store
        .accept_events(&[submission], &evaluation, NOW, Leasing::NONE)
        .await;
    assert!(matches!(stored.unwrap(), Acceptance::Stored(accepted) if accepted.has_fan_outs));
    // The webhook no longer has a filter when the rest is stored.
    let update = UpdateWebhook {
        change: fixture.change(&id, NOW.plus(SECOND)),
        settings: settings("filtered", &["chat"]),
        secret: None,
        headers: None,
        expected_version: None,
    };
    fixture.store.update_webhook(update).await.unwrap();
    fixture.fan_out_all(NOW.plus(SECOND)).await;
    let found = fixture.delivered_to().await;
    assert_eq!(found.len(), 250 * 30 + 2);
    let sent = found.keys().filter(|(_, webhook)| *webhook == id);
    let sent: Vec<_> = sent.map(|(event, _)| event.as_str()).collect();
    assert_eq!(sent, ["big-240", "big-3"]);
}

#[tokio::test]
async fn small_events_do_not_wait_for_large_ones() {
    let fixture = Fixture::new().await;
    fixture.add_many(300, &["chat"]).await;
    fixture.add("messages", &["message"]).await;
    let submissions = [
        fixture.submission("big", EventType::Chat, 100),
        fixture.submission("small", EventType::Message, 20),
    ];
    let results = accept(&fixture.store, &submissions, NOW).await;
    assert!(results.iter().all(Result::is_ok));
    let found = fixture.delivered_to().await;
    let small = found.keys().filter(|(event, _)| event.starts_with("small"));
    assert_eq!(small.count(), 20);
    assert!(found.len() <= MAX_DIRECT, "{}", found.len());
}

#[tokio::test]
async fn webhook_that_changed_gets_the_delivery_as_if_stored_before() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let id_of = |name: &'static str, events: &'static [&'static str]| fixture.add(name, events);
    let active = id_of("active", &["chat"]).await.id;
    let paused = id_of("paused", &["chat"]).await.id;
    let deleted = id_of("deleted", &["chat"]).await.id;
    let unsubscribed = id_of("unsubscribed", &["chat"]).await;
    let subscribed = id_of("subscribed later", &["message"]).await;
    fixture.add_many(95, &["chat"]).await;
    let submission = fixture.submission("big", EventType::Chat, 50);
    accept(store, &[submission], NOW.plus(SECOND))
        .await
        .remove(0)
        .unwrap();

    let later = NOW.plus(2 * SECOND);
    store
        .pause_webhook(&fixture.change(&paused, later))
        .await
        .unwrap();
    store
        .delete_webhook(&fixture.change(&deleted, later), None)
        .await
        .unwrap();
    for (webhook, events) in [(&unsubscribed, "message"), (&subscribed, "chat")] {
        let update = UpdateWebhook {
            change: fixture.change(&webhook.id, later),
            settings: settings(webhook.settings.name.as_str(), &[events]),
            secret: None,
            headers: None,
            expected_version: None,
        };
        store.update_webhook(update).await.unwrap();
    }
    let id = WebhookId::generate(later);
    let added = NewWebhook {
        change: fixture.change(&id, later),
        settings: settings("added later", &["chat"]),
        secret: sealed(1),
        headers: None,
        max_webhooks: 1_000,
    };
    store.insert_webhook(added).await.unwrap();
    fixture.fan_out_all(later).await;

    let found = fixture.delivered_to().await;
    let statuses = |webhook: &WebhookId| -> Vec<_> {
        let of_webhook = found.iter().filter(|((_, to), _)| to == webhook);
        of_webhook.map(|(_, status)| *status).collect()
    };
    for (webhook, expected) in [
        (&active, DeliveryStatus::Pending),
        (&paused, DeliveryStatus::Held),
        (&deleted, DeliveryStatus::Cancelled),
        (&unsubscribed.id, DeliveryStatus::Pending),
    ] {
        assert_eq!(statuses(webhook), vec![expected; 50]);
    }
    for webhook in [&subscribed.id, &id] {
        assert_eq!(statuses(webhook), []);
    }
}

#[tokio::test]
async fn accounts_take_turns() {
    let fixture = Fixture::new().await;
    let mut accounts = Vec::new();
    for name in ["first", "second", "third"] {
        let account = fixture.store.ensure_account(name, NOW).await.unwrap();
        let other = Fixture {
            store: Arc::clone(&fixture.store),
            account: account.clone(),
            _database: Database::create().await,
        };
        other.add_many(100, &["chat"]).await;
        let submission = other.submission("big", EventType::Chat, 80);
        accept(&fixture.store, &[submission], NOW)
            .await
            .remove(0)
            .unwrap();
        accounts.push(account);
    }
    let mut served = Vec::new();
    for _ in 0..6 {
        let last = served.last();
        served.extend(fixture.store.advance_fan_outs(last, NOW).await.unwrap());
    }
    let round: BTreeSet<_> = served[..3].iter().collect();
    assert_eq!(round, accounts.iter().collect());
    assert_eq!(served[..3], served[3..]);
}

#[tokio::test]
async fn concurrent_processes_store_each_delivery_once() {
    let fixture = Fixture::new().await;
    fixture.add_many(60, &["chat"]).await;
    let submission = fixture.submission("big", EventType::Chat, 200);
    accept(&fixture.store, &[submission], NOW)
        .await
        .remove(0)
        .unwrap();
    let fan_out = || async {
        let mut idle = 0;
        while idle < 3 {
            match fixture.store.advance_fan_outs(None, NOW).await.unwrap() {
                Some(_) => idle = 0,
                // Others may be storing the last ones.
                None => idle += 1,
            }
        }
    };
    tokio::join!(fan_out(), fan_out(), fan_out());
    assert_eq!(fixture.count_deliveries().await, 200 * 60);
}

#[tokio::test]
async fn event_expires_only_after_its_deliveries_are_stored() {
    let fixture = Fixture::new().await;
    fixture.add_many(30, &["chat"]).await;
    let submission = fixture.submission("big", EventType::Chat, 150);
    accept(&fixture.store, &[submission], NOW)
        .await
        .remove(0)
        .unwrap();
    // All deliveries that are stored have ended.
    let later = NOW.plus(SECOND);
    for webhook in fixture
        .delivered_to()
        .await
        .into_keys()
        .map(|(_, webhook)| webhook)
    {
        let change = fixture.change(&webhook, later);
        fixture.store.delete_webhook(&change, None).await.unwrap();
    }
    let expire = || async {
        let retention = Retention {
            account: &fixture.account,
            before: later,
            after: None,
            limit: 1_000,
            at: later,
        };
        fixture.store.delete_old_events(retention).await.unwrap().deleted
    };
    let expired = expire().await;
    assert_eq!(usize::try_from(expired).unwrap(), MAX_DIRECT / 30);
    fixture.fan_out_all(later).await;
    assert_eq!(expire().await, 150 - expired);
}
