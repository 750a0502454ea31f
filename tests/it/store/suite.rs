#[path = "suite/acceptance.rs"]
mod acceptance;
#[path = "suite/api_keys.rs"]
mod api_keys;
#[path = "suite/assets.rs"]
mod assets;
#[path = "suite/atomicity.rs"]
mod atomicity;
#[path = "suite/audit.rs"]
mod audit;
#[path = "suite/fan_outs.rs"]
mod fan_outs;
#[path = "suite/keys.rs"]
mod keys;
#[path = "suite/limits.rs"]
mod limits;
#[path = "suite/log.rs"]
mod log;
#[path = "suite/people.rs"]
mod people;
#[path = "suite/queue.rs"]
mod queue;
#[path = "suite/recovery.rs"]
mod recovery;
#[path = "suite/retention.rs"]
mod retention;
#[path = "suite/settling.rs"]
mod settling;
#[path = "suite/submitted_forms.rs"]
mod submitted_forms;
#[path = "suite/webhook_health.rs"]
mod webhook_health;
#[path = "suite/webhooks.rs"]
mod webhooks;

use std::{sync::Arc, time::Duration};

use caleida::{
    domain::{
        AccountId, Actor, Attempt, AttemptDetail, AttemptId, DeliveryStatus, DisabledReason, EndpointUrl,
        EventId, EventType, EventTypes, FailureReason, Latencies, Origin, Outcome, Principal, ProcessId,
        Timestamp, TlsProblem, Transport, UrlVisibility, Webhook, WebhookId, WebhookName, WebhookOptions,
        WebhookSettings, WebhookStatus,
    },
    store::{
        self, AcceptedEvent, CacheKey, Change, Claim, ClaimedDelivery, ConflictingEvent, DeleteOutcome,
        DeliveryFilter, HeldAction, HeldDeliveries, JoinOutcome, Lease, Leasing, Member, NewEvent,
        NewWebhook, Next, OpenDeliveries, ProcessRow, RecordedAttempt, Retention, Sealed, Store, StoreError,
        Submission, Unique, UpdateOutcome, UpdateWebhook, WebhookFilter,
    },
};

use super::Database;
use crate::support::stored::accept_events;

const NOW: Timestamp = Timestamp::from_millis(1_795_428_000_000);
const LEASE: Duration = Duration::from_secs(45);

/// A new store with an account, and helpers to fill it.
struct Fixture {
    store: Arc<Store>,
    account: AccountId,
    _database: Database,
}

/// Stores events without handing any deliveries off.
async fn accept(
    store: &Store,
    submissions: &[Submission],
    now: Timestamp,
) -> Vec<Result<Vec<AcceptedEvent>, ConflictingEvent>> {
    let leasing = Leasing::NONE;
    let accepted = accept_events(store, submissions, now, leasing).await;
    assert!(accepted.claimed.is_empty());
    accepted.results
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
            by: Principal::User("ada@example.com".to_owned()),
            from: Origin::CommandLine,
            at,
        }
    }

    fn actor(&self) -> Actor {
        Actor::user(self.account.clone(), "ada@example.com", Origin::CommandLine)
    }

    async fn try_add(&self, name: &str, events: &[&str]) -> Result<Webhook, StoreError> {
        let id = WebhookId::generate(NOW);
        let settings = settings(name, events);
        self.store
            .insert_webhook(NewWebhook {
                change: self.change(&id, NOW),
                settings,
                secret: sealed(1),
                headers: None,
                max_webhooks: 1_000,
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
        let answers = accept(&self.store, &[submission], NOW).await;
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
            capacity: &room,
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
        let page = self
            .store
            .of(&self.account)
            .list_deliveries(&filter)
            .await
            .unwrap();
        page.deliveries
            .into_iter()
            .map(|delivery| delivery.status)
            .collect()
    }

    async fn webhook(&self, id: &WebhookId) -> Webhook {
        self.store.of(&self.account).webhook(id).await.unwrap().unwrap()
    }
}

fn settings(name: &str, events: &[&str]) -> WebhookSettings {
    WebhookSettings {
        url: EndpointUrl::parse("https://example.com/hook", Transport::HttpsOnly).unwrap(),
        name: WebhookName::parse(name).unwrap(),
        events: EventTypes::parse(events.iter().copied()).unwrap(),
        options: WebhookOptions::default(),
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
        url: EndpointUrl::parse("https://example.com/hook", Transport::HttpsOnly).unwrap(),
        request_headers: vec![("webhook-id".to_owned(), delivery.event_id.to_string())],
        response_headers: Vec::new(),
        response_body: b"\xff\x00 raw".to_vec(),
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
