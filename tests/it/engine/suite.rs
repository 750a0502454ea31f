//! What is promised of the moments between two steps, each of them hit on purpose.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use caleida::{
    delivery::{
        Engine, Parts, Wake,
        gate::Gate,
        guard::{Guard, Lookup, LookupError},
        intake::PublishError,
        metrics::Metrics,
        sender::Sender,
    },
    domain::{AccountId, Clock, DeliveryStatus, EventId, EventType, Origin, ProcessId, Transport, Webhook},
    server::clock::SystemClock,
    store::{self, DeliveryFilter, Held, Leasing, Member, NewEvent, Store, Submission},
    vault::Vault,
    webhooks::{Actor, Draft, Webhooks},
};
use zeroize::Zeroizing;

use super::Database;
use crate::support::{
    held::{Hold, Holds, Point},
    receiver::{Answer, Receiver},
};

/// The engine and the operations on webhooks, around a store that can be held.
struct Bench {
    store: Arc<Store>,
    holds: Arc<Holds>,
    engine: Engine,
    webhooks: Webhooks,
    actor: Actor,
    webhook: Webhook,
    receiver: Receiver,
    _database: Database,
}

/// Finds every name on this machine, once it may.
struct HeldLookup(Option<Hold>);

#[async_trait]
impl Lookup for HeldLookup {
    async fn lookup(&self, _name: &str) -> Result<Vec<IpAddr>, LookupError> {
        if let Some(hold) = &self.0 {
            hold.pass().await;
        }
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

impl Bench {
    /// With a webhook that wants chats.
    async fn start() -> Self {
        Self::start_with(None, None).await.0
    }

    /// `point` is held from the start, when a delivery is waiting to be claimed already.
    async fn start_with(point: Option<Point>, lookup: Option<Hold>) -> (Self, Option<Hold>) {
        let database = Database::create().await;
        let store = store::open(&database.url).await.unwrap();
        let holds = Holds::of(&store);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let account = store.ensure_account("tests", clock.now()).await.unwrap();
        let actor = Actor::user(account, "ada@example.com", Origin::CommandLine);
        let guard = Arc::new(Guard::with_lookup(
            vec!["127.0.0.0/8".parse().unwrap()],
            HeldLookup(lookup),
        ));
        let vault = Arc::new(Vault::new(&Zeroizing::new([7; 32])));
        let gate = Gate::new(Arc::clone(&store), Arc::clone(&vault));
        let wake = Arc::new(Wake::default());
        let timeout = Duration::from_secs(5);
        let parts = || Parts {
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
                opens: vault.opens().map(str::to_owned).collect(),
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
            at_most: 1_000,
        };
        let receiver = Receiver::start().await;
        let mut engine = Engine::start(parts()).await.unwrap();
        // By its name, so that it is looked up.
        let draft = draft(&format!("http://receiver.test:{}/before", receiver.port()));
        let (webhook, _) = webhooks(&engine).add(&actor, &draft).await.unwrap();
        let mut hold = None;
        if let Some(point) = point {
            engine.stop(Duration::ZERO).await;
            let waiting = submission(&actor.account_id, 1);
            store
                .accept_events(&[waiting], clock.now(), Leasing::NONE)
                .await
                .unwrap();
            hold = Some(holds.hold(point));
            engine = Engine::start(parts()).await.unwrap();
        }
        let webhooks = webhooks(&engine);
        let bench = Self {
            store,
            holds,
            engine,
            webhooks,
            actor,
            webhook,
            receiver,
            _database: database,
        };
        (bench, hold)
    }

    fn publish(&self, size: usize) -> impl Future<Output = Result<(), PublishError>> + use<> {
        let (intake, submission) = (
            self.engine.intake.clone(),
            submission(&self.actor.account_id, size),
        );
        async move { intake.publish(submission).await.map(drop) }
    }

    /// Lets everything that is under way end, and answers what became of the deliveries and which paths were called.
    async fn end(self) -> (Vec<DeliveryStatus>, Vec<String>) {
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

fn draft(url: &str) -> Draft {
    Draft {
        url: url.to_owned(),
        name: "receiver".to_owned(),
        events: vec!["chat".to_owned()],
        ..Draft::default()
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

/// Where a delivery may be between the publish and the first byte of its request.
const BETWEEN: [Point; 6] = [
    // Handed off by the insert, on its way to the attempt runner.
    "accept_events: committed",
    // A row that is about to be claimed, and one that just was.
    "claim_due",
    "claim_due: committed",
    // At the gate, with nothing known of the webhook, and with what it was a moment ago.
    "destination",
    "destination: read",
    // Looking up the receiver's address.
    "lookup",
];

/// The engine with one delivery that waits at this point.
async fn waiting_at(point: Point) -> (Bench, Hold) {
    let (bench, hold) = match point {
        "claim_due" | "claim_due: committed" => {
            let (bench, hold) = Bench::start_with(Some(point), None).await;
            (bench, hold.unwrap())
        }
        "lookup" => {
            let hold = Hold::new();
            (Bench::start_with(None, Some(hold.clone())).await.0, hold)
        }
        _ => {
            let bench = Bench::start().await;
            let hold = bench.holds.hold(point);
            (bench, hold)
        }
    };
    if !point.starts_with("claim_due") {
        tokio::spawn(bench.publish(1));
    }
    hold.reached().await;
    (bench, hold)
}

#[tokio::test]
async fn deleted_means_silent_wherever_a_delivery_was() {
    for point in BETWEEN {
        let (bench, hold) = waiting_at(point).await;
        let deleting = tokio::spawn({
            let (webhooks, actor, id) = (
                bench.webhooks.clone(),
                bench.actor.clone(),
                bench.webhook.id.clone(),
            );
            async move { webhooks.delete(&actor, &id, None).await.unwrap() }
        });
        if point.starts_with("destination") {
            // Somebody is inside: that it cannot start any more is only sure once it has left.
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(!deleting.is_finished(), "{point:?}: answered too early");
            hold.release();
            deleting.await.unwrap();
        } else {
            deleting.await.unwrap();
            hold.release();
        }
        let (statuses, calls) = bench.end().await;
        assert_eq!(statuses, [DeliveryStatus::Cancelled], "{point:?}");
        assert!(calls.is_empty(), "{point:?}: {calls:?}");
    }
}

#[tokio::test]
async fn paused_means_held_wherever_a_delivery_was_that_had_not_begun() {
    for point in BETWEEN.into_iter().filter(|point| *point != "lookup") {
        let (bench, hold) = waiting_at(point).await;
        bench
            .webhooks
            .pause(&bench.actor, &bench.webhook.id)
            .await
            .unwrap();
        hold.release();
        let (statuses, calls) = bench.end().await;
        assert_eq!(statuses, [DeliveryStatus::Held], "{point:?}");
        assert!(calls.is_empty(), "{point:?}: {calls:?}");
    }
}

#[tokio::test]
async fn an_edit_is_obeyed_wherever_a_delivery_was_that_had_not_begun() {
    for point in BETWEEN.into_iter().filter(|point| *point != "lookup") {
        let (bench, hold) = waiting_at(point).await;
        let edited = draft(&bench.webhook.url.as_str().replace("before", "after"));
        let (webhooks, id) = (&bench.webhooks, &bench.webhook.id);
        webhooks.edit(&bench.actor, id, &edited, None).await.unwrap();
        hold.release();
        let (receiver, call) = (&bench.receiver, 1);
        receiver.wait_for(call).await;
        let (statuses, calls) = bench.end().await;
        assert_eq!(statuses, [DeliveryStatus::Delivered], "{point:?}");
        assert_eq!(calls, ["/after"], "{point:?}");
    }
}

#[tokio::test]
async fn when_the_disk_does_not_keep_up_publishers_are_told_and_nothing_piles_up() {
    for (size, most) in [(1, 2 * 1_024), (1024 * 1024, 64)] {
        let bench = Bench::start().await;
        let disk = bench.holds.hold("accept_events");
        // The first is with the disk; these pile up behind it.
        let first = tokio::spawn(bench.publish(size));
        disk.reached().await;
        let mut waiting = Vec::new();
        let busy = loop {
            let mut publish = tokio::spawn(bench.publish(size));
            match tokio::time::timeout(Duration::from_millis(20), &mut publish).await {
                Ok(answer) => break answer.unwrap(),
                Err(_) => waiting.push(publish),
            }
            // So as not to wait for each of the many small ones.
            if size == 1 {
                waiting.extend((0..63).map(|_| tokio::spawn(bench.publish(size))));
            }
        };
        assert!(matches!(busy, Err(PublishError::Busy)), "{busy:?}");
        assert!(waiting.len() <= most, "{} of {size} bytes wait", waiting.len());
        disk.release();
        first.await.unwrap().unwrap();
        let mut accepted = 1;
        for publish in waiting {
            match publish.await.unwrap() {
                Ok(()) => accepted += 1,
                Err(error) => assert!(matches!(error, PublishError::Busy), "{error}"),
            }
        }
        bench.publish(size).await.expect("there is room again");
        bench.receiver.wait_for(accepted + 1).await;
    }
}

#[tokio::test]
async fn who_is_enabled_again_is_tried_with_one_delivery_first() {
    let bench = Bench::start().await;
    let answer = crate::support::receiver::Gate::closed();
    bench.receiver.answer(Answer::Status(410));
    bench.publish(1).await.unwrap();
    bench.receiver.wait_for(1).await;
    let (webhooks, id) = (&bench.webhooks, &bench.webhook.id);
    crate::support::app::eventually(|| async {
        let webhook = bench
            .store
            .of(&bench.actor.account_id)
            .webhook(id)
            .await
            .unwrap()?;
        webhook.disabled_reason.is_some().then_some(())
    })
    .await
    .expect("it was never disabled");

    webhooks.resume(&bench.actor, id, Held::Send).await.unwrap();
    bench.receiver.answer_always(Answer::Hold(answer.clone(), 200));
    for _ in 0..20 {
        bench.publish(1).await.unwrap();
    }
    bench.receiver.wait_for(2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(bench.receiver.received().len(), 2, "one to see how it is");
    answer.open();
    bench.receiver.wait_for(21).await;
}

#[tokio::test]
async fn what_outlasts_the_grace_is_given_back_and_is_no_attempt() {
    let bench = Bench::start().await;
    bench.receiver.answer_always(Answer::Never);
    bench.publish(1).await.unwrap();
    bench.receiver.wait_for(1).await;
    let (store, account) = (Arc::clone(&bench.store), bench.actor.account_id.clone());
    bench.engine.stop(Duration::from_millis(50)).await;

    let filter = DeliveryFilter {
        limit: 1,
        ..DeliveryFilter::default()
    };
    let page = store.of(&account).list_deliveries(&filter).await.unwrap();
    let delivery = &page.deliveries[0];
    assert_eq!((delivery.status, delivery.attempts), (DeliveryStatus::Pending, 0));
    // Shown only of what nobody has a lease on: the next process finds it due.
    assert!(delivery.next_attempt_at.unwrap() <= SystemClock.now());
}
