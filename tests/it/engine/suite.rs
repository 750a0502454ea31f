//! Deletes, pauses and edits a webhook while a delivery waits at a breakpoint.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use caleida::{
    delivery::{
        Deps, Engine, Wake,
        gate::Gate,
        guard::{Guard, Lookup, LookupError},
        intake::PublishError,
        metrics::Metrics,
        sender::Sender,
    },
    domain::{AccountId, Clock, DeliveryStatus, EventId, EventType, Origin, ProcessId, Transport, Webhook},
    server::clock::SystemClock,
    store::{self, DeliveryFilter, HeldAction, Leasing, Member, NewEvent, Store, Submission},
    vault::Vault,
    webhooks::{Actor, WebhookDraft, Webhooks},
};
use zeroize::Zeroizing;

use super::Database;
use crate::support::{
    breakpoints::{Breakpoint, Breakpoints, Point},
    receiver::{Receiver, Reply},
    stored::accept_events,
};

/// The engine and a webhook, on a store with breakpoints.
struct Fixture {
    store: Arc<Store>,
    breakpoints: Arc<Breakpoints>,
    engine: Engine,
    webhooks: Webhooks,
    actor: Actor,
    webhook: Webhook,
    receiver: Receiver,
    _database: Database,
}

/// Resolves every name to loopback, after an optional breakpoint.
struct PausedLookup(Option<Breakpoint>);

#[async_trait]
impl Lookup for PausedLookup {
    async fn lookup(&self, _name: &str) -> Result<Vec<IpAddr>, LookupError> {
        if let Some(breakpoint) = &self.0 {
            breakpoint.block().await;
        }
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

impl Fixture {
    /// Starts the engine with a webhook for `chat` events.
    async fn start() -> Self {
        Self::start_with(None, None).await.0
    }

    /// Starts the engine. `point` is a breakpoint that is set before the start, when a delivery is already due.
    async fn start_with(point: Option<Point>, lookup: Option<Breakpoint>) -> (Self, Option<Breakpoint>) {
        let database = Database::create().await;
        let store = store::open(&database.url).await.unwrap();
        let breakpoints = Breakpoints::install(&store);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let account = store.ensure_account("tests", clock.now()).await.unwrap();
        let actor = Actor::user(account, "ada@example.com", Origin::CommandLine);
        let guard = Arc::new(Guard::with_lookup(
            vec!["127.0.0.0/8".parse().unwrap()],
            PausedLookup(lookup),
        ));
        let vault = Arc::new(Vault::new(&Zeroizing::new([7; 32])));
        let gate = Gate::new(Arc::clone(&store), Arc::clone(&vault));
        let wake = Arc::new(Wake::default());
        let timeout = Duration::from_secs(5);
        let deps = || Deps {
            store: Arc::clone(&store),
            gate: Arc::clone(&gate),
            sender: Sender::new(Arc::clone(&guard), timeout, Vec::new()).unwrap(),
            clock: Arc::clone(&clock),
            wake: Arc::clone(&wake),
            schedule: "50ms".parse().unwrap(),
            timeout,
            member: Member {
                id: ProcessId::generate(clock.now()),
                role: "all",
                master_key_id: vault.key_id().to_owned(),
                decryption_key_ids: vault.key_ids().map(str::to_owned).collect(),
            },
            caches: Vec::new(),
            delivers: true,
            metrics: Metrics::default(),
        };
        let webhooks = |engine: &Engine| Webhooks {
            store: Arc::clone(&store),
            vault: Arc::clone(&vault),
            gate: Arc::clone(&gate),
            slots: engine.slots.clone(),
            cluster: engine.cluster.clone(),
            tester: engine.tester.clone(),
            guard: Arc::clone(&guard),
            wake: Arc::clone(&wake),
            clock: Arc::clone(&clock),
            transport: Transport::HttpAllowed,
            max_webhooks: 1_000,
        };
        let receiver = Receiver::start().await;
        let mut engine = Engine::start(deps()).await.unwrap();
        // A host name, so that the address is looked up.
        let draft = draft(&format!("http://receiver.test:{}/before", receiver.port()));
        let (webhook, _) = webhooks(&engine).add(&actor, &draft).await.unwrap();
        let mut breakpoint = None;
        if let Some(point) = point {
            engine.stop(Duration::ZERO).await;
            let event = submission(&actor.account_id, 1);
            accept_events(&store, &[event], clock.now(), Leasing::NONE).await;
            breakpoint = Some(breakpoints.set(point));
            engine = Engine::start(deps()).await.unwrap();
        }
        let webhooks = webhooks(&engine);
        let fixture = Self {
            store,
            breakpoints,
            engine,
            webhooks,
            actor,
            webhook,
            receiver,
            _database: database,
        };
        (fixture, breakpoint)
    }

    fn publish(&self, size: usize) -> impl Future<Output = Result<(), PublishError>> + use<> {
        let (intake, submission) = (
            self.engine.intake.clone(),
            submission(&self.actor.account_id, size),
        );
        async move { intake.publish(submission).await.map(drop) }
    }

    /// Waits for attempts in flight, and returns the status of each delivery and the path of each call.
    async fn finish(self) -> (Vec<DeliveryStatus>, Vec<String>) {
        self.engine.stop(Duration::from_secs(10)).await;
        let filter = DeliveryFilter {
            limit: 100,
            ..DeliveryFilter::default()
        };
        let page = self
            .store
            .of(&self.actor.account_id)
            .list_deliveries(&filter)
            .await
            .unwrap();
        let calls = self.receiver.received();
        (
            page.deliveries
                .into_iter()
                .map(|delivery| delivery.status)
                .collect(),
            calls.into_iter().map(|call| call.path).collect(),
        )
    }
}

fn draft(url: &str) -> WebhookDraft {
    WebhookDraft {
        url: url.to_owned(),
        name: "receiver".to_owned(),
        events: vec!["chat".to_owned()],
        ..WebhookDraft::default()
    }
}

fn submission(account: &AccountId, size: usize) -> Submission {
    let now = SystemClock.now();
    let event = NewEvent {
        id: EventId::generate(now),
        idempotency_key: None,
        event_type: EventType::Chat,
        occurred_at: now,
        payload: vec![b'x'; size].into(),
        fingerprint: [0; 32],
    };
    Submission {
        account_id: account.clone(),
        events: vec![event],
    }
}

/// Points of a delivery between publish and the first byte of its request.
const POINTS: [Point; 6] = [
    // Handed off by the insert, before the attempt runner.
    "accept_events: committed",
    // Before and after the delivery is claimed.
    "claim_due",
    "claim_due: committed",
    // At the gate, before and after the webhook is read.
    "destination",
    "destination: read",
    // While the receiver's address is looked up.
    "lookup",
];

/// Starts the engine with one delivery that is blocked at this point.
async fn waiting_at(point: Point) -> (Fixture, Breakpoint) {
    let (fixture, breakpoint) = match point {
        "claim_due" | "claim_due: committed" => {
            let (fixture, breakpoint) = Fixture::start_with(Some(point), None).await;
            (fixture, breakpoint.unwrap())
        }
        "lookup" => {
            let breakpoint = Breakpoint::new();
            (
                Fixture::start_with(None, Some(breakpoint.clone())).await.0,
                breakpoint,
            )
        }
        _ => {
            let fixture = Fixture::start().await;
            let breakpoint = fixture.breakpoints.set(point);
            (fixture, breakpoint)
        }
    };
    if !point.starts_with("claim_due") {
        tokio::spawn(fixture.publish(1));
    }
    breakpoint.reached().await;
    (fixture, breakpoint)
}

#[tokio::test]
async fn delete_stops_delivery_at_every_point() {
    for point in POINTS {
        let (fixture, breakpoint) = waiting_at(point).await;
        let deleting = tokio::spawn({
            let (webhooks, actor, id) = (
                fixture.webhooks.clone(),
                fixture.actor.clone(),
                fixture.webhook.id.clone(),
            );
            async move { webhooks.delete(&actor, &id, None).await.unwrap() }
        });
        if point.starts_with("destination") {
            // The delivery is inside the gate, so the delete waits until it has left.
            fixture
                .breakpoints
                .wait_until_passed("delete_webhook: committed", 1)
                .await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(!deleting.is_finished(), "{point:?}: deleted too early");
            breakpoint.release();
            deleting.await.unwrap();
        } else {
            deleting.await.unwrap();
            breakpoint.release();
        }
        let (statuses, calls) = fixture.finish().await;
        assert_eq!(statuses, [DeliveryStatus::Cancelled], "{point:?}");
        assert!(calls.is_empty(), "{point:?}: {calls:?}");
    }
}

#[tokio::test]
async fn pause_holds_delivery_at_every_point_before_sending() {
    for point in POINTS.into_iter().filter(|point| *point != "lookup") {
        let (fixture, breakpoint) = waiting_at(point).await;
        fixture
            .webhooks
            .pause(&fixture.actor, &fixture.webhook.id)
            .await
            .unwrap();
        breakpoint.release();
        let (statuses, calls) = fixture.finish().await;
        assert_eq!(statuses, [DeliveryStatus::Held], "{point:?}");
        assert!(calls.is_empty(), "{point:?}: {calls:?}");
    }
}

#[tokio::test]
async fn edit_applies_at_every_point_before_sending() {
    for point in POINTS.into_iter().filter(|point| *point != "lookup") {
        let (fixture, breakpoint) = waiting_at(point).await;
        let edited = draft(
            &fixture
                .webhook
                .settings
                .url
                .full()
                .as_str()
                .replace("before", "after"),
        );
        let (webhooks, id) = (&fixture.webhooks, &fixture.webhook.id);
        webhooks.edit(&fixture.actor, id, &edited, None).await.unwrap();
        breakpoint.release();
        let (receiver, call) = (&fixture.receiver, 1);
        receiver.wait_for(call).await;
        let (statuses, calls) = fixture.finish().await;
        assert_eq!(statuses, [DeliveryStatus::Delivered], "{point:?}");
        assert_eq!(calls, ["/after"], "{point:?}");
    }
}

#[tokio::test]
async fn slow_disk_rejects_events_and_bounds_the_queue() {
    for (size, max_waiting) in [(1, 2 * 1_024), (1024 * 1024, 64)] {
        let fixture = Fixture::start().await;
        let disk = fixture.breakpoints.set("accept_events");
        // The first event blocks in the store; the others queue up behind it.
        let first = tokio::spawn(fixture.publish(size));
        disk.reached().await;
        let mut waiting = Vec::new();
        let busy = loop {
            let mut publish = tokio::spawn(fixture.publish(size));
            match tokio::time::timeout(Duration::from_millis(20), &mut publish).await {
                Ok(result) => break result.unwrap(),
                Err(_) => waiting.push(publish),
            }
            // Publish many small events at once, to save time.
            if size == 1 {
                waiting.extend((0..63).map(|_| tokio::spawn(fixture.publish(size))));
            }
        };
        assert!(matches!(busy, Err(PublishError::Busy)), "{busy:?}");
        assert!(
            waiting.len() <= max_waiting,
            "{} events of {size} bytes wait",
            waiting.len()
        );
        disk.release();
        first.await.unwrap().unwrap();
        let mut accepted = 1;
        for publish in waiting {
            match publish.await.unwrap() {
                Ok(()) => accepted += 1,
                Err(error) => assert!(matches!(error, PublishError::Busy), "{error}"),
            }
        }
        fixture.publish(size).await.expect("the queue has room again");
        fixture.receiver.wait_for(accepted + 1).await;
    }
}

#[tokio::test]
async fn reenabled_webhook_gets_one_delivery_first() {
    let fixture = Fixture::start().await;
    let latch = crate::support::receiver::Latch::closed();
    fixture.receiver.reply(Reply::Status(410));
    fixture.publish(1).await.unwrap();
    fixture.receiver.wait_for(1).await;
    let (webhooks, id) = (&fixture.webhooks, &fixture.webhook.id);
    crate::support::app::eventually(|| async {
        let webhook = fixture
            .store
            .of(&fixture.actor.account_id)
            .webhook(id)
            .await
            .unwrap()?;
        webhook.disabled_reason.is_some().then_some(())
    })
    .await
    .expect("the webhook is disabled");

    webhooks
        .resume(&fixture.actor, id, HeldAction::Send)
        .await
        .unwrap();
    fixture.receiver.reply_always(Reply::Hold(latch.clone(), 200));
    for _ in 0..20 {
        fixture.publish(1).await.unwrap();
    }
    fixture.receiver.wait_for(2).await;
    // The other deliveries are stored, and none of them has been leased.
    fixture.breakpoints.wait_for_claim(&fixture.webhooks.wake).await;
    assert_eq!(fixture.receiver.received().len(), 2, "a single delivery first");
    latch.open();
    fixture.receiver.wait_for(21).await;
}

#[tokio::test]
async fn attempt_exceeding_grace_is_released_and_not_counted() {
    let fixture = Fixture::start().await;
    fixture.receiver.reply_always(Reply::Never);
    fixture.publish(1).await.unwrap();
    fixture.receiver.wait_for(1).await;
    let (store, account) = (Arc::clone(&fixture.store), fixture.actor.account_id.clone());
    fixture.engine.stop(Duration::from_millis(50)).await;

    let filter = DeliveryFilter {
        limit: 1,
        ..DeliveryFilter::default()
    };
    let page = store.of(&account).list_deliveries(&filter).await.unwrap();
    let delivery = &page.deliveries[0];
    assert_eq!((delivery.status, delivery.attempts), (DeliveryStatus::Pending, 0));
    // Set only without a lease, so the next process finds the delivery due.
    assert!(delivery.next_attempt_at.unwrap() <= SystemClock.now());
}
