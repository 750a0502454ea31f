//! Claims what is due and has it attempted: no receiver can hold back another, and never more at once than fits.
//!
//! What does not fit stays a row. A webhook that has [`PER_WEBHOOK`] attempts under way is left out of the next claim,
//! so a receiver that hangs delays only itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    Wake,
    gate::{Admission, Gate, Pass},
    recorder::Recorder,
    sender::{Exchange, Sender, USER_AGENT},
    signer,
};
use crate::{
    domain::{
        Attempt, Clock, DisabledReason, FailureReason, Outcome, RetrySchedule, Timestamp, Verdict, WebhookId,
    },
    store::{Claim, ClaimedDelivery, Next, RecordedAttempt, Store, StoreError},
};

/// Attempts under way at once, in all.
const AT_ONCE: usize = 512;

/// A webhook with so many attempts under way gets no more for now; a claim adds at most as many again.
const PER_WEBHOOK: usize = 32;

/// How long the scheduler sleeps at most: the safety net under [`Wake`], and how soon a lapsed lease is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// What a lease has beyond the time of one exchange, for opening the gate before it and recording after it.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// When a delivery is looked at again that could not be attempted for a reason of ours.
const OUR_TROUBLE: Duration = Duration::from_secs(10);

/// The tasks share it.
pub(super) struct Scheduler {
    store: Arc<dyn Store>,
    gate: Arc<Gate>,
    sender: Sender,
    recorder: Recorder,
    clock: Arc<dyn Clock>,
    wake: Arc<Wake>,
    schedule: RetrySchedule,
    lease: Duration,
    under_way: UnderWay,
}

impl Scheduler {
    pub(super) fn new(parts: super::Parts, recorder: Recorder) -> Self {
        let super::Parts {
            store,
            gate,
            sender,
            clock,
            wake,
            schedule,
            timeout,
        } = parts;
        let lease = timeout + LEASE_MARGIN;
        Self {
            store,
            gate,
            sender,
            recorder,
            clock,
            wake,
            schedule,
            lease,
            under_way: UnderWay::default(),
        }
    }

    /// Runs until `stop`, then until what is under way has ended. `abort` cuts that short and gives the leases back.
    pub(super) async fn run(self, stop: CancellationToken, abort: CancellationToken) {
        let scheduler = Arc::new(self);
        let attempts = TaskTracker::new();
        while !stop.is_cancelled() {
            let claimed = match scheduler.claim().await {
                Ok(claimed) => claimed,
                Err(error) => {
                    tracing::error!(%error, "deliveries could not be claimed");
                    Vec::new()
                }
            };
            let found = !claimed.is_empty();
            for delivery in claimed {
                let running = scheduler.under_way.start(&delivery.webhook_id);
                let (scheduler, abort) = (Arc::clone(&scheduler), abort.clone());
                attempts.spawn(async move {
                    scheduler.deliver(delivery, &abort).await;
                    if running.made_room() {
                        scheduler.wake.ring();
                    }
                });
            }
            // As long as something was due, there may be more; otherwise sleep until there is.
            if !found {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = scheduler.wake.rung() => {}
                    () = tokio::time::sleep(scheduler.sleep().await) => {}
                }
            }
        }
        attempts.close();
        attempts.wait().await;
    }

    async fn claim(&self) -> Result<Vec<ClaimedDelivery>, StoreError> {
        let (room, except) = self.under_way.room();
        if room == 0 {
            return Ok(Vec::new());
        }
        let claim = Claim {
            now: self.clock.now(),
            lease: self.lease,
            limit: u32::try_from(room).unwrap_or(u32::MAX),
            per_webhook: u32::try_from(PER_WEBHOOK).unwrap_or(u32::MAX),
            except,
        };
        self.store.claim_due(&claim).await
    }

    /// Until the next delivery is due. What is due already was left out of the claim, and rings when it has room.
    async fn sleep(&self) -> Duration {
        let now = self.clock.now();
        match self.store.next_due().await {
            Ok(Some(due)) if due > now => due.since(now).min(LONGEST_SLEEP),
            _ => LONGEST_SLEEP,
        }
    }

    /// One attempt from the gate to the recorder.
    async fn deliver(&self, delivery: ClaimedDelivery, abort: &CancellationToken) {
        let pass = match self.gate.enter(&delivery.webhook_id).await {
            Ok(Admission::Open(pass)) => pass,
            Ok(Admission::Stopped) => return self.give_back(&delivery, self.clock.now()).await,
            Ok(Admission::Gone) => return,
            Err(error) => {
                tracing::error!(%error, delivery = %delivery.id, webhook = %delivery.webhook_id, "cannot be attempted");
                return self
                    .give_back(&delivery, self.clock.now().plus(OUR_TROUBLE))
                    .await;
            }
        };
        let started_at = self.clock.now();
        let clock = Instant::now();
        let headers = headers(&delivery, &pass, started_at);
        let exchange = tokio::select! {
            biased;
            () = pass.cancelled() => cut_short(),
            () = abort.cancelled() => return self.give_back(&delivery, self.clock.now()).await,
            exchange = self.sender.send(&pass.target.url, headers.clone(), delivery.payload.clone(), started_at) => exchange,
        };
        let attempt = Attempt {
            number: delivery.number,
            started_at,
            duration: clock.elapsed(),
            outcome: exchange.outcome,
            detail: exchange.detail,
            url: pass.target.url.to_string(),
            request_headers: readable(&headers),
            response_headers: exchange.response_headers,
            response_body: exchange.response_body,
            response_truncated: exchange.response_truncated,
        };
        // The request is over: whoever waits for the webhook to be silent need not wait for the disk too.
        drop(pass);
        let next = self.next(&attempt);
        tracing::info!(
            delivery = %delivery.id,
            event = %delivery.event_id,
            webhook = %delivery.webhook_id,
            attempt = attempt.number,
            result = %attempt.outcome,
            duration_ms = attempt.duration.as_millis(),
            "attempt"
        );
        let ClaimedDelivery {
            id,
            webhook_id,
            lease,
            ..
        } = delivery;
        self.recorder
            .record(RecordedAttempt {
                delivery_id: id,
                webhook_id,
                lease,
                attempt,
                next,
            })
            .await;
    }

    fn next(&self, attempt: &Attempt) -> Next {
        if attempt.outcome == Outcome::Failed(FailureReason::Cancelled) {
            return Next::Cancelled;
        }
        let random = f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX);
        match self.schedule.decide(attempt.number, attempt.outcome, random) {
            Verdict::Delivered => Next::Delivered,
            Verdict::RetryIn(pause) => Next::RetryAt(attempt.started_at.plus(attempt.duration).plus(pause)),
            Verdict::GiveUp => Next::Failed,
            Verdict::Disable => Next::DisableWebhook(DisabledReason::Gone),
        }
    }

    async fn give_back(&self, delivery: &ClaimedDelivery, at: Timestamp) {
        let lease = [(delivery.id.clone(), delivery.lease.clone())];
        if let Err(error) = self.store.release(&lease, at).await {
            // It lapses by itself.
            tracing::warn!(%error, delivery = %delivery.id, "a lease could not be given back");
        }
    }
}

/// How many attempts are under way, in all and for each webhook.
#[derive(Default)]
struct UnderWay(Arc<Mutex<Counts>>);

#[derive(Default)]
struct Counts {
    all: usize,
    by_webhook: HashMap<WebhookId, usize>,
}

impl UnderWay {
    /// How many more may start, and the webhooks that may start none.
    fn room(&self) -> (usize, Vec<WebhookId>) {
        let counts = lock(&self.0);
        let full = counts
            .by_webhook
            .iter()
            .filter(|(_, count)| **count >= PER_WEBHOOK);
        (
            AT_ONCE.saturating_sub(counts.all),
            full.map(|(id, _)| id.clone()).collect(),
        )
    }

    fn start(&self, webhook_id: &WebhookId) -> Running {
        let mut counts = lock(&self.0);
        counts.all += 1;
        *counts.by_webhook.entry(webhook_id.clone()).or_default() += 1;
        Running {
            counts: Arc::clone(&self.0),
            webhook_id: webhook_id.clone(),
            ended: false,
        }
    }
}

/// One attempt that is counted until it is dropped.
struct Running {
    counts: Arc<Mutex<Counts>>,
    webhook_id: WebhookId,
    ended: bool,
}

impl Running {
    /// Ends it. True if that makes room where there was none.
    fn made_room(mut self) -> bool {
        self.end()
    }

    fn end(&mut self) -> bool {
        if std::mem::replace(&mut self.ended, true) {
            return false;
        }
        let mut counts = lock(&self.counts);
        let was_full = counts.all == AT_ONCE;
        counts.all -= 1;
        let Some(count) = counts.by_webhook.get_mut(&self.webhook_id) else {
            return was_full;
        };
        *count -= 1;
        let count = *count;
        if count == 0 {
            counts.by_webhook.remove(&self.webhook_id);
        }
        was_full || count + 1 == PER_WEBHOOK
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

fn headers(delivery: &ClaimedDelivery, pass: &Pass, now: Timestamp) -> HeaderMap {
    let id = delivery.event_id.as_str();
    let signature = signer::sign(id, now.as_secs(), &delivery.payload, pass.target.secrets(now));
    let value = |text: &str| HeaderValue::from_str(text).expect("ids, numbers and base64 are header values");
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (reqwest::header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        (signer::ID_HEADER, value(id)),
        (signer::TIMESTAMP_HEADER, value(&now.as_secs().to_string())),
        (signer::SIGNATURE_HEADER, value(&signature)),
    ])
}

/// As the log shows them.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect()
}

fn cut_short() -> Exchange {
    Exchange {
        outcome: Outcome::Failed(FailureReason::Cancelled),
        detail: Some("The webhook was deleted while this attempt was under way".to_owned()),
        response_headers: Vec::new(),
        response_body: Vec::new(),
        response_truncated: false,
    }
}
