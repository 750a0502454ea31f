//! One attempt: in at the gate, signed, sent, and to the recorder with what follows from it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Span;

use super::{
    fence::{Fence, Fenced},
    gate::{Admission, Gate, Pass},
    kill_point::KillPoint,
    metrics::Metrics,
    recorder::Recorder,
    sender::{Exchange, Sender, USER_AGENT},
    signer,
    slots::Slot,
};
use crate::{
    domain::{
        Attempt, AttemptId, Clock, DisabledReason, EventId, FailureReason, Outcome, RetrySchedule, Timestamp,
        Verdict,
    },
    store::{ClaimedDelivery, Next, RecordedAttempt, Store},
    trace,
};

/// When a delivery is looked at again that could not be attempted for a reason of ours.
const OUR_TROUBLE: Duration = Duration::from_secs(10);

/// Takes deliveries that are leased and have their slot. Cheap to clone; the clones share their tasks.
#[derive(Clone)]
pub(super) struct Courier {
    parts: Arc<Parts>,
    tasks: TaskTracker,
    abort: CancellationToken,
}

pub(super) struct Parts {
    pub store: Arc<Store>,
    pub gate: Arc<Gate>,
    pub sender: Arc<Sender>,
    pub fence: Fence,
    pub recorder: Recorder,
    pub clock: Arc<dyn Clock>,
    pub schedule: RetrySchedule,
    pub metrics: Metrics,
}

impl Courier {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            tasks: TaskTracker::new(),
            abort: CancellationToken::new(),
        }
    }

    /// Makes the attempt in a task of its own, and frees the slot when it is on its way to the recorder.
    pub(super) fn dispatch(&self, delivery: ClaimedDelivery, slot: Slot) {
        let (parts, abort) = (Arc::clone(&self.parts), self.abort.clone());
        // In a box of its own: a task is moved a few times before it runs, and an attempt is large.
        let attempt = Box::pin(async move { parts.attempt(delivery, &slot, &abort).await });
        self.tasks.spawn(attempt);
    }

    /// Lets what is under way end within `grace`; cuts short what does not, and gives its lease back. To call when
    /// nobody dispatches any more.
    pub(super) async fn finish(self, grace: Duration) {
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }
}

impl Parts {
    async fn attempt(&self, delivery: ClaimedDelivery, slot: &Slot, abort: &CancellationToken) {
        let permit = self.fence.permit();
        let pass = match self.gate.enter(&delivery.webhook_id).await {
            Ok(Admission::Open(pass)) => pass,
            Ok(Admission::Stopped) => return self.give_back(&delivery, self.clock.now()).await,
            Ok(Admission::Gone) => return,
            Err(error) => {
                tracing::error!(%error, delivery = %delivery.id, webhook = %delivery.webhook_id, "failed to prepare an attempt");
                return self
                    .give_back(&delivery, self.clock.now().plus(OUR_TROUBLE))
                    .await;
            }
        };
        let started_at = self.clock.now();
        let clock = Instant::now();
        let headers = headers(&delivery.event_id, &delivery.payload, &pass, started_at);
        let span = trace::attempt(pass.target.url.as_url().host_str());
        KillPoint::BeforeSending.reached();
        let exchange = tokio::select! {
            biased;
            () = pass.cancelled() => cut_short(),
            () = abort.cancelled() => return self.give_back(&delivery, self.clock.now()).await,
            sent = self.sender.send(&pass.target.url, headers.clone(), delivery.payload.clone(), started_at, permit) => match sent {
                Ok(exchange) => exchange,
                Err(Fenced) => return self.give_back(&delivery, self.clock.now()).await,
            },
        };
        KillPoint::AfterSending.reached();
        slot.learn(exchange.outcome);
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
        self.metrics.attempted(&delivery.id, &attempt);
        let next = self.next(&attempt, delivery.earlier_attempts);
        tell(&delivery, &attempt, &span);
        drop(span);
        let ClaimedDelivery {
            id,
            webhook_id,
            lease,
            ..
        } = delivery;
        self.recorder
            .record(RecordedAttempt {
                id: AttemptId::generate(started_at),
                delivery_id: id,
                webhook_id,
                lease,
                attempt,
                next,
            })
            .await;
    }

    fn next(&self, attempt: &Attempt, earlier_attempts: u32) -> Next {
        if attempt.outcome == Outcome::Failed(FailureReason::Cancelled) {
            return Next::Cancelled;
        }
        let random = match attempt.outcome.succeeded() {
            // Nobody asks for it.
            true => 0.0,
            false => f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX),
        };
        let number = attempt.number.saturating_sub(earlier_attempts);
        match self.schedule.decide(number, attempt.outcome, random) {
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
            tracing::warn!(%error, delivery = %delivery.id, "failed to release a lease");
        }
    }
}

/// One line, without anything that was sent or answered, and without the URL, which may hold a token.
fn tell(delivery: &ClaimedDelivery, attempt: &Attempt, span: &Span) {
    let (status, failure) = match attempt.outcome {
        Outcome::Answered { status, .. } => (Some(status), None),
        Outcome::Failed(reason) => (None, Some(reason.as_str())),
    };
    if !span.is_disabled() {
        let ClaimedDelivery {
            id,
            event_id,
            webhook_id,
            ..
        } = delivery;
        trace::delivers(
            span,
            id.as_str(),
            event_id.as_str(),
            webhook_id.as_str(),
            attempt.number,
        );
        match (status, failure) {
            (Some(status), _) => trace::answered(span, status, !(200..300).contains(&status)),
            (None, reason) => trace::failed(span, reason.unwrap_or_default()),
        }
    }
    tracing::info!(
        delivery = %delivery.id,
        event = %delivery.event_id,
        webhook = %delivery.webhook_id,
        attempt = attempt.number,
        status,
        failure,
        duration_ms = u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
        "attempt"
    );
}

/// What a receiver gets with the body.
pub(super) fn headers(event: &EventId, payload: &[u8], pass: &Pass, now: Timestamp) -> HeaderMap {
    let id = event.as_str();
    let signature = signer::sign_with(id, now.as_secs(), payload, pass.target.keys(now));
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
pub(super) fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
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
        detail: None,
        response_headers: Vec::new(),
        response_body: Vec::new(),
        response_truncated: false,
    }
}
