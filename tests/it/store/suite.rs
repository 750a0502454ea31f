#[path = "suite/api_keys.rs"]
mod api_keys;
#[path = "suite/audit.rs"]
mod audit;
#[path = "suite/keys.rs"]
mod keys;
#[path = "suite/limits.rs"]
mod limits;
#[path = "suite/log.rs"]
mod log;
#[path = "suite/people.rs"]
mod people;
#[path = "suite/recovery.rs"]
mod recovery;

use std::{sync::Arc, time::Duration};

use caleida::{
    domain::{
        AccountId, Actor, Attempt, AttemptId, DeliveryStatus, DisabledReason, EndpointUrl, EventId,
        EventType, EventTypes, FailureReason, Latencies, Origin, Outcome, ProcessId, Timestamp, Transport,
        Webhook, WebhookId, WebhookName, WebhookSettings, WebhookStatus,
    },
    store::{
        self, AcceptedEvent, Change, Claim, ClaimedDelivery, ConflictingEvent, DeliveryFilter, HandOff, Held,
        Joined, Lease, Member, NewEvent, NewWebhook, Next, OpenDeliveries, ProcessRow, RecordedAttempt,
        Retention, Sealed, Store, StoreError, Submission, UpdateWebhook, Updated, WebhookFilter,
    },
};

use super::Database;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const LEASE: Duration = Duration::from_secs(45);

/// A store of its own, with an account and short ways to fill it.
struct Fixture {
    store: Arc<dyn Store>,
    account: AccountId,
    _database: Database,
}

/// Stores them without handing anything off.
async fn accept(
    store: &dyn Store,
    submissions: &[Submission],
    now: Timestamp,
) -> Vec<Result<Vec<AcceptedEvent>, ConflictingEvent>> {
    let hand_off = HandOff {
        lease: LEASE,
        wanted: &mut |_| false,
    };
    let accepted = store.accept_events(submissions, now, hand_off).await.unwrap();
    assert!(accepted.claimed.is_empty());
    accepted.answers
}

impl Fixture {
    async fn new() -> Self {
        let database = Database::create().await;
        let store = store::open(&database.url).await.unwrap();
        let account = store.ensure_account("tests", NOW).await.unwrap();
        Self {
            store,
            account,
            _database: database,
        }
    }

    fn change(&self, id: &WebhookId, at: Timestamp) -> Change {
        Change {
            account_id: self.account.clone(),
            webhook_id: id.clone(),
            by: "ada@example.com".to_owned(),
            from: Origin::CommandLine,
            at,
        }
    }

    fn actor(&self) -> Actor {
        Actor {
            account_id: self.account.clone(),
            name: "ada@example.com".to_owned(),
            origin: Origin::CommandLine,
        }
    }

    async fn try_add(&self, name: &str, events: &[&str]) -> Result<Webhook, StoreError> {
        let id = WebhookId::generate(NOW);
        let settings = settings(name, events);
        self.store
            .insert_webhook(NewWebhook {
                change: self.change(&id, NOW),
                settings,
                secret: sealed(1),
                at_most: 1_000,
            })
            .await
    }

    async fn add(&self, name: &str, events: &[&str]) -> Webhook {
        self.try_add(name, events).await.unwrap()
    }

    async fn publish(&self, id: &str, event_type: EventType) -> u32 {
        let submission = Submission {
            account_id: self.account.clone(),
            events: vec![event(id, event_type)],
        };
        let answers = accept(&*self.store, &[submission], NOW).await;
        answers.into_iter().next().unwrap().unwrap()[0].deliveries
    }

    async fn claim(&self, now: Timestamp) -> Vec<ClaimedDelivery> {
        self.claim_some(now, 100, 100, &[]).await
    }

    async fn claim_some(
        &self,
        now: Timestamp,
        limit: usize,
        each: usize,
        webhooks: &[(&WebhookId, usize)],
    ) -> Vec<ClaimedDelivery> {
        let room = |webhook: &WebhookId| {
            let own = webhooks.iter().find(|(id, _)| *id == webhook);
            own.map_or(each, |(_, room)| *room)
        };
        let claim = Claim {
            now,
            lease: LEASE,
            limit,
            room: &room,
            after: None,
        };
        self.store.claim_due(claim).await.unwrap().deliveries
    }

    async fn record(&self, delivery: &ClaimedDelivery, outcome: Outcome, next: Next) {
        self.store
            .record_attempts(&[recorded(delivery, outcome, next)])
            .await
            .unwrap();
    }

    async fn statuses(&self) -> Vec<DeliveryStatus> {
        let filter = DeliveryFilter {
            limit: 100,
            ..DeliveryFilter::default()
        };
        let page = self.store.list_deliveries(&self.account, &filter).await.unwrap();
        page.deliveries
            .into_iter()
            .map(|delivery| delivery.status)
            .collect()
    }

    async fn webhook(&self, id: &WebhookId) -> Webhook {
        self.store.webhook(&self.account, id).await.unwrap().unwrap()
    }
}

fn settings(name: &str, events: &[&str]) -> WebhookSettings {
    WebhookSettings {
        url: EndpointUrl::parse("https://example.com/hook", Transport::HttpsOnly).unwrap(),
        name: WebhookName::parse(name).unwrap(),
        events: EventTypes::parse(events.iter().copied()).unwrap(),
    }
}

fn sealed(byte: u8) -> Sealed {
    Sealed {
        key_id: "k1".to_owned(),
        ciphertext: vec![byte; 40],
    }
}

fn event(id: &str, event_type: EventType) -> NewEvent {
    let payload = format!(r#"{{"type":"{event_type}","timestamp":"…","data":{{"of":"{id}"}}}}"#);
    NewEvent {
        id: id.parse().unwrap(),
        idempotency_key: None,
        event_type,
        occurred_at: NOW,
        payload: payload.into_bytes().into(),
        fingerprint: [1; 32],
    }
}

fn recorded(delivery: &ClaimedDelivery, outcome: Outcome, next: Next) -> RecordedAttempt {
    let attempt = Attempt {
        number: delivery.number,
        started_at: NOW,
        duration: Duration::from_millis(12),
        outcome,
        detail: None,
        url: "https://example.com/hook".to_owned(),
        request_headers: vec![("webhook-id".to_owned(), delivery.event_id.to_string())],
        response_headers: Vec::new(),
        response_body: b"\xff\x00 as it came".to_vec(),
        response_truncated: false,
    };
    let (delivery_id, webhook_id, lease) = (
        delivery.id.clone(),
        delivery.webhook_id.clone(),
        delivery.lease.clone(),
    );
    RecordedAttempt {
        id: AttemptId::generate(NOW),
        delivery_id,
        webhook_id,
        lease,
        attempt,
        next,
    }
}

const OK: Outcome = Outcome::Answered {
    status: 200,
    retry_after: None,
};
const REFUSED: Outcome = Outcome::Failed(FailureReason::Connect);

#[tokio::test]
async fn a_name_is_unique_in_its_account_until_its_webhook_is_deleted() {
    let fixture = Fixture::new().await;
    let first = fixture.add("Orders", &["chat"]).await;
    assert!(matches!(
        fixture.try_add("Orders", &["chat"]).await,
        Err(StoreError::Conflict)
    ));

    let elsewhere = fixture.store.ensure_account("another", NOW).await.unwrap();
    let change = Change {
        account_id: elsewhere,
        ..fixture.change(&WebhookId::generate(NOW), NOW)
    };
    let theirs = NewWebhook {
        change,
        settings: settings("Orders", &["chat"]),
        secret: sealed(1),
        at_most: 1_000,
    };
    assert!(fixture.store.insert_webhook(theirs).await.is_ok());

    fixture
        .store
        .delete_webhook(&fixture.change(&first.id, NOW))
        .await
        .unwrap()
        .unwrap();
    assert!(fixture.try_add("Orders", &["chat"]).await.is_ok());
}

#[tokio::test]
async fn an_event_goes_to_every_webhook_that_wants_its_type_and_waits_for_a_paused_one() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    let paused = fixture.add("both", &["chat", "message"]).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&paused.id, NOW))
        .await
        .unwrap();

    assert_eq!(fixture.publish("a", EventType::Chat).await, 2);
    assert_eq!(fixture.publish("b", EventType::Message).await, 1);
    assert_eq!(fixture.publish("c", EventType::InsightKey).await, 0);

    let claimed = fixture.claim(NOW).await;
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].event_id.as_str(), "a");
    assert_eq!(&*claimed[0].payload, &*event("a", EventType::Chat).payload);
    assert_eq!(
        fixture
            .statuses()
            .await
            .iter()
            .filter(|&&status| status == DeliveryStatus::Held)
            .count(),
        2
    );
}

#[tokio::test]
async fn the_same_event_is_stored_once_and_another_under_its_id_is_a_conflict() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    let submit = |events: Vec<NewEvent>| {
        let submission = Submission {
            account_id: fixture.account.clone(),
            events,
        };
        let store = Arc::clone(&fixture.store);
        async move { accept(&*store, &[submission], NOW).await.remove(0) }
    };
    let first = submit(vec![event("a", EventType::Chat)]).await.unwrap();
    assert!(!first[0].repeated);
    let again = submit(vec![event("a", EventType::Chat)]).await.unwrap();
    assert!(again[0].repeated);
    assert_eq!(again[0].deliveries, 1);

    let other = NewEvent {
        fingerprint: [2; 32],
        ..event("a", EventType::Chat)
    };
    let conflict = submit(vec![event("b", EventType::Chat), other])
        .await
        .unwrap_err();
    assert_eq!((conflict.index, conflict.id.as_str()), (1, "a"));
    // All or nothing: `b` is not there either.
    assert!(!submit(vec![event("b", EventType::Chat)]).await.unwrap()[0].repeated);
    assert_eq!(fixture.statuses().await.len(), 2);
}

#[tokio::test]
async fn an_idempotency_key_stands_for_the_event_that_came_with_it_first() {
    let fixture = Fixture::new().await;
    let keyed = |id: &str, byte: u8| NewEvent {
        idempotency_key: Some("k".to_owned()),
        fingerprint: [byte; 32],
        ..event(id, EventType::Chat)
    };
    // Twice in the same transaction, as two publishers may send it at the same moment.
    let submissions = [keyed("a", 1), keyed("b", 1), keyed("c", 2)].map(|event| Submission {
        account_id: fixture.account.clone(),
        events: vec![event],
    });
    let answers = accept(&*fixture.store, &submissions, NOW).await;
    assert_eq!(answers[0].as_ref().unwrap()[0].id.as_str(), "a");
    let second = &answers[1].as_ref().unwrap()[0];
    assert_eq!((second.id.as_str(), second.repeated), ("a", true));
    assert!(answers[2].is_err());
}

#[tokio::test]
async fn a_claim_is_exclusive_until_its_lease_lapses_and_only_the_newest_may_move_the_delivery() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;

    let first = fixture.claim(NOW).await.remove(0);
    assert_eq!(first.number, 1);
    assert!(
        fixture
            .claim(NOW.plus(LEASE - Duration::from_millis(1)))
            .await
            .is_empty()
    );
    let second = fixture.claim(NOW.plus(LEASE)).await.remove(0);
    assert_ne!(first.lease, second.lease);

    // The one who lost its lease wakes up late: its attempt is on record, but decides nothing.
    fixture.record(&first, REFUSED, Next::Failed).await;
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Pending]);
    fixture.record(&second, OK, Next::Delivered).await;
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Delivered]);
    let detail = fixture
        .store
        .delivery(&fixture.account, &first.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(detail.attempts.len(), 2);
    assert_eq!(detail.attempts[0].response_body, b"\xff\x00 as it came");
}

#[tokio::test]
async fn a_retry_is_due_at_its_time_and_counts_its_attempts() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    let first = fixture.claim(NOW).await.remove(0);
    let due = NOW.plus(Duration::from_secs(300));
    fixture.record(&first, REFUSED, Next::RetryAt(due)).await;
    assert_eq!(fixture.store.next_due().await.unwrap(), Some(due));
    assert!(fixture.claim(NOW.plus(Duration::from_secs(299))).await.is_empty());
    let second = fixture.claim(due).await.remove(0);
    assert_eq!(second.number, 2);
    fixture.record(&second, REFUSED, Next::Failed).await;
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Failed]);
    assert_eq!(fixture.store.next_due().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_due_next_is_the_earliest_of_all_webhooks() {
    let fixture = Fixture::new().await;
    for name in ["a", "b", "c"] {
        fixture.add(name, &["chat"]).await;
    }
    fixture.publish("event", EventType::Chat).await;
    let due = [300, 100, 200].map(|seconds| NOW.plus(Duration::from_secs(seconds)));
    for (delivery, due) in fixture.claim(NOW).await.iter().zip(due) {
        fixture.record(delivery, REFUSED, Next::RetryAt(due)).await;
    }
    assert_eq!(fixture.store.next_due().await.unwrap(), Some(due[1]));
}

#[tokio::test]
async fn the_same_attempt_recorded_again_changes_nothing() {
    let fixture = Fixture::new().await;
    fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await.remove(0);
    let due = NOW.plus(Duration::from_secs(300));
    let failed = recorded(&claimed, REFUSED, Next::RetryAt(due));
    // As after a connection that was lost while it was committed.
    for _ in 0..2 {
        fixture
            .store
            .record_attempts(std::slice::from_ref(&failed))
            .await
            .unwrap();
    }
    let detail = fixture
        .store
        .delivery(&fixture.account, &claimed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((detail.delivery.attempts, detail.attempts.len()), (1, 1));
    let hours = fixture
        .store
        .webhook_activity(&[claimed.webhook_id], Timestamp::from_millis(0))
        .await
        .unwrap();
    assert_eq!((hours.len(), hours[0].failed), (1, 1));
}

#[tokio::test]
async fn a_claim_shares_its_places_out_among_webhooks() {
    let fixture = Fixture::new().await;
    let busy = fixture.add("busy", &["chat"]).await;
    let calm = fixture.add("calm", &["message"]).await;
    for index in 0..20 {
        fixture.publish(&format!("chat{index}"), EventType::Chat).await;
    }
    fixture.publish("message", EventType::Message).await;

    let claimed = fixture.claim_some(NOW, 3, 100, &[]).await;
    assert_eq!(
        claimed
            .iter()
            .filter(|delivery| delivery.webhook_id == calm.id)
            .count(),
        1
    );
    let claimed = fixture.claim_some(NOW, 100, 5, &[]).await;
    assert_eq!(claimed.len(), 5, "at most so many of one webhook");
    let few = fixture.claim_some(NOW, 100, 100, &[(&busy.id, 2)]).await;
    assert_eq!(few.len(), 2, "or so many, for this one");
    assert!(
        fixture
            .claim_some(NOW, 100, 100, &[(&busy.id, 0)])
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn webhooks_have_their_turns_one_after_the_other_and_a_full_one_hides_nobody() {
    const WEBHOOKS: usize = 300;
    let fixture = Fixture::new().await;
    let full = fixture.add("full", &["message"]).await;
    for index in 0..50 {
        fixture
            .publish(&format!("message{index}"), EventType::Message)
            .await;
    }
    for index in 0..WEBHOOKS {
        fixture.add(&format!("webhook {index}"), &["chat"]).await;
    }
    for chat in ["first", "second"] {
        fixture.publish(chat, EventType::Chat).await;
    }

    let mut turns = Vec::new();
    let mut after = None;
    loop {
        let claim = Claim {
            now: NOW,
            lease: LEASE,
            limit: 100,
            room: &|webhook| if *webhook == full.id { 0 } else { 1 },
            after,
        };
        let claimed = fixture.store.claim_due(claim).await.unwrap();
        assert!(claimed.deliveries.len() <= 100);
        assert!(
            claimed
                .deliveries
                .iter()
                .all(|delivery| claimed.unfinished.contains(&delivery.webhook_id)),
            "each has a second one due"
        );
        turns.extend(claimed.deliveries.into_iter().map(|delivery| delivery.webhook_id));
        after = claimed.until;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(turns.len(), WEBHOOKS, "one each before anybody's second");
    assert!(turns.is_sorted() && !turns.contains(&full.id));
}

#[tokio::test]
async fn what_is_handed_off_is_leased_by_the_insert_itself() {
    let fixture = Fixture::new().await;
    let wanted = fixture.add("wanted", &["chat"]).await;
    let unwanted = fixture.add("unwanted", &["chat"]).await;
    let paused = fixture.add("paused", &["chat"]).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&paused.id, NOW))
        .await
        .unwrap();

    let submission = Submission {
        account_id: fixture.account.clone(),
        events: vec![event("a", EventType::Chat)],
    };
    let mut asked = Vec::new();
    let hand_off = HandOff {
        lease: LEASE,
        wanted: &mut |webhook| {
            asked.push(webhook.clone());
            *webhook == wanted.id
        },
    };
    let accepted = fixture
        .store
        .accept_events(&[submission], NOW, hand_off)
        .await
        .unwrap();
    assert!(!asked.contains(&paused.id), "what is held cannot be sent");
    let [handed_off] = accepted.claimed.as_slice() else {
        panic!("{:?}", accepted.claimed);
    };
    assert_eq!((&handed_off.webhook_id, handed_off.number), (&wanted.id, 1));
    assert_eq!(handed_off.payload, event("a", EventType::Chat).payload);

    let claimed = fixture.claim(NOW).await;
    assert_eq!(claimed.len(), 1, "nobody else gets it while its lease holds");
    assert_eq!(claimed[0].webhook_id, unwanted.id);
    let lapsed = fixture.claim(NOW.plus(LEASE)).await;
    assert!(
        lapsed.iter().any(|delivery| delivery.id == handed_off.id),
        "a lapsed lease is due again"
    );
    fixture.record(handed_off, OK, Next::Delivered).await;
    assert!(
        !fixture.statuses().await.contains(&DeliveryStatus::Delivered),
        "it came too late"
    );
}

#[tokio::test]
async fn a_lease_given_back_is_due_again_at_once_or_held_if_its_webhook_is_paused_by_then() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await.remove(0);
    fixture
        .store
        .release(&[(claimed.id.clone(), Lease("of another".to_owned()))], NOW)
        .await
        .unwrap();
    assert!(
        fixture.claim(NOW).await.is_empty(),
        "only its holder can give a lease back"
    );
    fixture
        .store
        .release(&[(claimed.id, claimed.lease)], NOW)
        .await
        .unwrap();

    let claimed = fixture.claim(NOW).await.remove(0);
    fixture
        .store
        .pause_webhook(&fixture.change(&webhook.id, NOW))
        .await
        .unwrap();
    fixture
        .store
        .release(&[(claimed.id, claimed.lease)], NOW)
        .await
        .unwrap();
    assert_eq!(fixture.statuses().await, [DeliveryStatus::Held]);
    fixture
        .store
        .resume_webhook(&fixture.change(&webhook.id, NOW), Held::Send)
        .await
        .unwrap();
    assert_eq!(fixture.claim(NOW).await.len(), 1);
}

#[tokio::test]
async fn what_is_being_sent_while_its_webhook_is_paused_keeps_a_success_and_is_held_after_a_failure() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    fixture.publish("b", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&webhook.id, NOW))
        .await
        .unwrap();
    fixture.record(&claimed[0], OK, Next::Delivered).await;
    fixture.record(&claimed[1], REFUSED, Next::RetryAt(NOW)).await;
    let mut statuses = fixture.statuses().await;
    statuses.sort_by_key(|status| status.as_str());
    assert_eq!(statuses, [DeliveryStatus::Delivered, DeliveryStatus::Held]);
}

#[tokio::test]
async fn deleting_cancels_what_is_open_erases_the_secret_and_leaves_the_name_in_the_log() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    fixture.publish("b", EventType::Chat).await;
    let claimed = fixture.claim_some(NOW, 1, 1, &[]).await.remove(0);
    assert_eq!(
        fixture
            .store
            .open_deliveries(&fixture.account, &webhook.id)
            .await
            .unwrap(),
        OpenDeliveries { pending: 2, held: 0 }
    );

    let deleted = fixture
        .store
        .delete_webhook(&fixture.change(&webhook.id, NOW))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((deleted.name.as_str(), deleted.cancelled), ("chats", 2));
    assert!(
        fixture
            .store
            .delete_webhook(&fixture.change(&webhook.id, NOW))
            .await
            .unwrap()
            .is_none()
    );
    assert!(fixture.store.destination(&webhook.id).await.unwrap().is_none());
    assert!(
        fixture
            .store
            .sealed_secrets(&fixture.account, &webhook.id)
            .await
            .unwrap()
            .is_none()
    );
    assert!(fixture.store.master_key_ids().await.unwrap().is_empty());
    assert!(fixture.claim(NOW.plus(LEASE * 2)).await.is_empty());
    assert_eq!(fixture.publish("c", EventType::Chat).await, 0);

    // The attempt that was under way is still put on record.
    fixture.record(&claimed, REFUSED, Next::RetryAt(NOW)).await;
    let detail = fixture
        .store
        .delivery(&fixture.account, &claimed.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(detail.delivery.status, DeliveryStatus::Cancelled);
    assert_eq!(detail.attempts.len(), 1);
    assert_eq!(
        (
            detail.delivery.webhook_name.as_str(),
            detail.delivery.webhook_deleted
        ),
        ("chats", true)
    );
}

#[tokio::test]
async fn a_receiver_that_is_gone_disables_its_webhook_and_cancels_the_rest() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    fixture.publish("a", EventType::Chat).await;
    fixture.publish("b", EventType::Chat).await;
    let claimed = fixture.claim_some(NOW, 1, 1, &[]).await.remove(0);
    let gone = Outcome::Answered {
        status: 410,
        retry_after: None,
    };
    fixture
        .record(&claimed, gone, Next::DisableWebhook(DisabledReason::Gone))
        .await;

    let disabled = fixture.webhook(&webhook.id).await;
    assert_eq!(disabled.status, WebhookStatus::Disabled);
    assert_eq!(disabled.disabled_reason, Some(DisabledReason::Gone));
    assert_eq!(fixture.publish("c", EventType::Chat).await, 0);
    let mut statuses = fixture.statuses().await;
    statuses.sort_by_key(|status| status.as_str());
    assert_eq!(statuses, [DeliveryStatus::Cancelled, DeliveryStatus::Failed]);
}

#[tokio::test]
async fn a_save_on_an_old_version_is_refused_with_what_is_there_now() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    let update = |name: &str, based_on| UpdateWebhook {
        change: fixture.change(&webhook.id, NOW),
        settings: settings(name, &["message"]),
        secret: None,
        based_on,
    };
    let Updated::Saved(saved) = fixture
        .store
        .update_webhook(update("renamed", Some(1)))
        .await
        .unwrap()
    else {
        panic!("not saved")
    };
    assert_eq!((saved.version, saved.name.as_str()), (2, "renamed"));
    let stale = fixture
        .store
        .update_webhook(update("again", Some(1)))
        .await
        .unwrap();
    assert!(matches!(stale, Updated::Stale(now) if now.name.as_str() == "renamed"));
    assert!(matches!(
        fixture.store.update_webhook(update("again", None)).await.unwrap(),
        Updated::Saved(_)
    ));

    fixture.add("taken", &["chat"]).await;
    assert!(matches!(
        fixture.store.update_webhook(update("taken", None)).await.unwrap(),
        Updated::NameTaken
    ));
}

#[tokio::test]
async fn a_rotation_keeps_the_secret_before_for_a_while_and_an_edit_replaces_it_at_once() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    let until = NOW.plus(Duration::from_secs(86_400));
    let change = fixture.change(&webhook.id, NOW);
    let rotated = fixture
        .store
        .rotate_secret(&change, sealed(2), until)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rotated.previous_secret_until, Some(until));
    let secrets = fixture
        .store
        .destination(&webhook.id)
        .await
        .unwrap()
        .unwrap()
        .secrets;
    assert_eq!(
        (secrets.current, secrets.previous),
        (sealed(2), Some((sealed(1), until)))
    );

    let edit = UpdateWebhook {
        change,
        settings: settings("chats", &["chat"]),
        secret: Some(sealed(3)),
        based_on: None,
    };
    fixture.store.update_webhook(edit).await.unwrap();
    let secrets = fixture
        .store
        .destination(&webhook.id)
        .await
        .unwrap()
        .unwrap()
        .secrets;
    assert_eq!(secrets.current, sealed(3));
}

#[tokio::test]
async fn a_webhook_fails_since_its_first_failure_after_a_success_and_its_hours_add_up() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    for id in ["a", "b", "c"] {
        fixture.publish(id, EventType::Chat).await;
    }
    let claimed = fixture.claim(NOW).await;
    fixture.record(&claimed[0], REFUSED, Next::Failed).await;
    let failing = fixture.webhook(&webhook.id).await;
    assert_eq!(failing.status, WebhookStatus::Failing);
    assert_eq!(failing.last_attempt.unwrap().summary, "Could not connect");
    let since = failing.failing_since;
    fixture.record(&claimed[1], REFUSED, Next::Failed).await;
    assert_eq!(fixture.webhook(&webhook.id).await.failing_since, since);
    fixture.record(&claimed[2], OK, Next::Delivered).await;
    assert_eq!(fixture.webhook(&webhook.id).await.status, WebhookStatus::Active);

    let yesterday = NOW.minus(Duration::from_secs(86_400));
    let ids = [webhook.id.clone()];
    let hours = fixture.store.webhook_activity(&ids, yesterday).await.unwrap();
    assert_eq!(hours.len(), 1);
    assert_eq!((hours[0].succeeded, hours[0].failed), (1, 2));
    // Who did not answer took no time to do so.
    let latencies = || fixture.store.webhook_latencies(&webhook.id, yesterday);
    let counted = latencies().await.unwrap();
    let mut expected = Latencies::default();
    expected.add(Latencies::power(Duration::from_millis(12)), 1);
    assert_eq!(counted, expected);
    fixture.publish("d", EventType::Chat).await;
    let claimed = fixture.claim(NOW).await;
    fixture.record(&claimed[0], OK, Next::Delivered).await;
    expected.add(Latencies::power(Duration::from_millis(12)), 1);
    assert_eq!(latencies().await.unwrap(), expected);

    fixture.store.delete_old_statistics(hours[0].hour).await.unwrap();
    assert_eq!(latencies().await.unwrap(), expected);
    fixture
        .store
        .delete_old_statistics(NOW.plus(Duration::from_secs(3_600)))
        .await
        .unwrap();
    assert_eq!(latencies().await.unwrap(), Latencies::default());
    assert!(
        fixture
            .store
            .webhook_activity(&ids, yesterday)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn who_fails_for_five_days_is_disabled_until_somebody_resumes_it() {
    let fixture = Fixture::new().await;
    let webhook = fixture.add("chats", &["chat"]).await;
    let fail_at = async |hours: u64| {
        let now = NOW.plus(Duration::from_secs(hours * 3_600));
        fixture.publish(&format!("at-{hours}"), EventType::Chat).await;
        let delivery = fixture.claim(now).await.remove(0);
        let mut failed = recorded(&delivery, REFUSED, Next::Failed);
        failed.attempt.started_at = now;
        fixture.store.record_attempts(&[failed]).await.unwrap()
    };
    for hours in [0, 30, 61, 100, 119] {
        assert!(fail_at(hours).await.is_empty(), "{hours} h");
    }
    assert_eq!(fixture.webhook(&webhook.id).await.status, WebhookStatus::Failing);
    assert_eq!(fail_at(121).await, std::slice::from_ref(&webhook.id));
    let disabled = fixture.webhook(&webhook.id).await;
    assert_eq!(disabled.status, WebhookStatus::Disabled);
    assert_eq!(disabled.disabled_reason, Some(DisabledReason::Failing));

    let resumed = fixture
        .store
        .resume_webhook(&fixture.change(&webhook.id, NOW), Held::Send)
        .await;
    assert_eq!(resumed.unwrap().unwrap().status, WebhookStatus::Active);
    assert!(fail_at(122).await.is_empty(), "it has five days again");
}

#[tokio::test]
async fn webhooks_are_found_by_part_of_name_or_url_by_event_and_by_status() {
    let fixture = Fixture::new().await;
    let orders = fixture.add("Orders 100%", &["chat"]).await;
    fixture.add("Crm", &["message", "insight.key"]).await;
    fixture
        .store
        .pause_webhook(&fixture.change(&orders.id, NOW))
        .await
        .unwrap();

    let names = |filter: WebhookFilter| {
        let (store, account) = (Arc::clone(&fixture.store), fixture.account.clone());
        async move {
            let page = store.list_webhooks(&account, &filter).await.unwrap();
            assert_eq!(page.total, 2);
            assert_eq!(page.matching, u64::try_from(page.webhooks.len()).unwrap());
            // Both were added in the same moment: neither is the newer one.
            let mut names: Vec<_> = page
                .webhooks
                .into_iter()
                .map(|webhook| webhook.name.to_string())
                .collect();
            names.sort_unstable();
            names
        }
    };
    let all = WebhookFilter::default;
    assert_eq!(names(all()).await, ["Crm", "Orders 100%"]);
    assert_eq!(
        names(WebhookFilter {
            search: Some("ORDERS".to_owned()),
            ..all()
        })
        .await,
        ["Orders 100%"]
    );
    assert_eq!(
        names(WebhookFilter {
            search: Some("0%".to_owned()),
            ..all()
        })
        .await,
        ["Orders 100%"]
    );
    assert_eq!(
        names(WebhookFilter {
            search: Some("_".to_owned()),
            ..all()
        })
        .await,
        Vec::<String>::new()
    );
    assert_eq!(
        names(WebhookFilter {
            search: Some("example.com".to_owned()),
            ..all()
        })
        .await
        .len(),
        2
    );
    assert_eq!(
        names(WebhookFilter {
            event_type: Some(EventType::InsightKey),
            ..all()
        })
        .await,
        ["Crm"]
    );
    assert_eq!(
        names(WebhookFilter {
            status: Some(WebhookStatus::Paused),
            ..all()
        })
        .await,
        ["Orders 100%"]
    );
    assert_eq!(
        names(WebhookFilter {
            status: Some(WebhookStatus::Active),
            ..all()
        })
        .await,
        ["Crm"]
    );
}

#[tokio::test]
async fn many_events_and_webhooks_fit_into_one_acceptance() {
    let fixture = Fixture::new().await;
    for index in 0..7 {
        fixture.add(&format!("webhook {index}"), &["chat"]).await;
    }
    let events = (0..1_000)
        .map(|index| event(&format!("e{index}"), EventType::Chat))
        .collect();
    let submission = Submission {
        account_id: fixture.account.clone(),
        events,
    };
    let accepted = accept(&*fixture.store, &[submission], NOW)
        .await
        .remove(0)
        .unwrap();
    assert_eq!(accepted.len(), 1_000);
    assert_eq!(fixture.claim_some(NOW, 10_000, 10_000, &[]).await.len(), 7_000);
    let id: EventId = "e999".parse().unwrap();
    let filter = DeliveryFilter {
        event_id: Some(id),
        limit: 100,
        ..DeliveryFilter::default()
    };
    assert_eq!(
        fixture
            .store
            .list_deliveries(&fixture.account, &filter)
            .await
            .unwrap()
            .deliveries
            .len(),
        7
    );
}

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
    accept(&*fixture.store, &[submission], later).await;

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
