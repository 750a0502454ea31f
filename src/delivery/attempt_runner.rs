//! Runs attempts. Each one passes the gate, is signed and sent, and is recorded with the next state of its delivery.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Span;

use super::{
    fence::Fence,
    gate::{Admission, Gate, Pass},
    hidden::REDACTED,
    kill_point::KillPoint,
    metrics::Metrics,
    recorder::Recorder,
    sender::{Exchange, Interrupted, Sender, USER_AGENT},
    signer,
    slots::Slot,
};
use crate::{
    domain::{
        Attempt, AttemptId, Clock, DisabledReason, EventId, FailureReason, Outcome, RetrySchedule, Timestamp,
        Verdict, delivery_settings::Retries,
    },
    store::{ClaimedDelivery, Next, RecordedAttempt, Store},
    trace,
};

/// Delay before a delivery is due again after an internal error.
const INTERNAL_RETRY_DELAY: Duration = Duration::from_secs(10);

/// Runs the attempts of deliveries that are leased and have a slot. Cheap to clone: the clones share their tasks.
#[derive(Clone)]
pub(super) struct AttemptRunner {
    worker: Arc<Worker>,
    tasks: TaskTracker,
    abort: CancellationToken,
}

/// Makes a single attempt.
pub(super) struct Worker {
    pub store: Arc<Store>,
    pub gate: Arc<Gate>,
    pub sender: Arc<Sender>,
    pub fence: Fence,
    pub recorder: Recorder,
    pub clock: Arc<dyn Clock>,
    pub schedule: RetrySchedule,
    pub metrics: Metrics,
}

impl AttemptRunner {
    pub(super) fn new(worker: Worker) -> Self {
        Self {
            worker: Arc::new(worker),
            tasks: TaskTracker::new(),
            abort: CancellationToken::new(),
        }
    }

    /// Runs the attempt in its own task. The slot is released when the outcome is queued for the recorder.
    pub(super) fn dispatch(&self, delivery: ClaimedDelivery, slot: Slot) {
        let (worker, abort) = (Arc::clone(&self.worker), self.abort.clone());
        // Boxed, because a task is moved several times before it runs, and an attempt is large.
        let attempt = Box::pin(async move { worker.attempt(delivery, &slot, &abort).await });
        self.tasks.spawn(attempt);
    }

    /// Waits up to `grace` for the attempts in flight, then aborts the rest and releases their leases. Must be called
    /// after the last dispatch.
    pub(super) async fn finish(self, grace: Duration) {
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }
}

impl Worker {
    async fn attempt(&self, delivery: ClaimedDelivery, slot: &Slot, abort: &CancellationToken) {
        let permit = self.fence.permit();
        let pass = match self.gate.enter(&delivery.webhook_id).await {
            Ok(Admission::Admitted(pass)) => pass,
            Ok(Admission::Inactive) => return self.release(&delivery, self.clock.now()).await,
            Ok(Admission::Deleted) => return,
            Err(error) => {
                tracing::error!(%error, delivery = %delivery.id, webhook = %delivery.webhook_id, "failed to prepare an attempt");
                return self
                    .release(&delivery, self.clock.now().plus(INTERNAL_RETRY_DELAY))
                    .await;
            }
        };
        let started_at = self.clock.now();
        let started = Instant::now();
        let headers = request_headers(&delivery.event_id, &delivery.payload, &pass, started_at);
        let span = trace::attempt(pass.target.url.full().host_str());
        KillPoint::BeforeSending.reached();
        let exchange = tokio::select! {
            biased;
            () = abort.cancelled() => return self.release(&delivery, self.clock.now()).await,
            result = self.sender.send(&pass, permit, headers.clone(), delivery.payload.clone(), started_at) => match result {
                Ok(exchange) => exchange,
                Err(Interrupted::Cancelled) => cancelled_exchange(),
                Err(Interrupted::Fenced) => return self.release(&delivery, self.clock.now()).await,
            },
        };
        KillPoint::AfterSending.reached();
        slot.adjust(exchange.outcome);
        let attempt = Attempt {
            number: delivery.number,
            started_at,
            duration: started.elapsed(),
            outcome: exchange.outcome,
            detail: exchange.detail,
            url: pass.target.url.clone(),
            request_headers: to_log(&headers),
            response_headers: exchange.response_headers,
            response_body: exchange.response_body,
            response_truncated: exchange.response_truncated,
        };
        let retries = pass.target.retries;
        // The request is over, so a deletion of the webhook does not have to wait for the disk.
        drop(pass);
        self.metrics.attempted(&delivery.id, &attempt);
        let next = self.next(&attempt, delivery.earlier_attempts, retries);
        log_attempt(&delivery, &attempt, &span);
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

    fn next(&self, attempt: &Attempt, earlier_attempts: u32, retries: Retries) -> Next {
        if attempt.outcome == Outcome::Failed(FailureReason::Cancelled) {
            return Next::Cancelled;
        }
        let random = match attempt.outcome.succeeded() {
            // Only retries have jitter.
            true => 0.0,
            false => f64::from(getrandom::u32().unwrap_or(u32::MAX / 2)) / f64::from(u32::MAX),
        };
        let number = attempt.number.saturating_sub(earlier_attempts);
        match retries
            .schedule(&self.schedule)
            .decide(number, attempt.outcome, random)
        {
            Verdict::Delivered => Next::Delivered,
            Verdict::RetryIn(delay) => Next::RetryAt(attempt.started_at.plus(attempt.duration).plus(delay)),
            Verdict::GiveUp => Next::Failed,
            Verdict::Disable => Next::DisableWebhook(DisabledReason::Gone),
        }
    }

    async fn release(&self, delivery: &ClaimedDelivery, at: Timestamp) {
        let lease = [(delivery.id.clone(), delivery.lease.clone())];
        if let Err(error) = self.store.release(&lease, at).await {
            // Without the release, the lease expires.
            tracing::warn!(%error, delivery = %delivery.id, "failed to release a lease");
        }
    }
}

/// Logs the attempt. Headers, bodies and the URL are left out, because they may contain secrets.
fn log_attempt(delivery: &ClaimedDelivery, attempt: &Attempt, span: &Span) {
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
        trace::record_delivery(
            span,
            id.as_str(),
            event_id.as_str(),
            webhook_id.as_str(),
            attempt.number,
        );
        match (status, failure) {
            (Some(status), _) => trace::record_status(span, status, !(200..300).contains(&status)),
            (None, reason) => trace::record_failure(span, reason.unwrap_or_default()),
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

/// Returns the headers of a request to a receiver.
pub(super) fn request_headers(event_id: &EventId, payload: &[u8], pass: &Pass, now: Timestamp) -> HeaderMap {
    let id = event_id.as_str();
    let signature = signer::sign_with(id, now.as_secs(), payload, pass.target.keys(now));
    let value = |text: &str| HeaderValue::from_str(text).expect("ids, numbers and base64 are header values");
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (reqwest::header::USER_AGENT, HeaderValue::from_static(USER_AGENT)),
        (signer::ID_HEADER, value(id)),
        (signer::TIMESTAMP_HEADER, value(&now.as_secs().to_string())),
        (signer::SIGNATURE_HEADER, value(&signature)),
    ]);
    // The names of custom headers differ from those above.
    headers.extend(pass.target.headers.clone());
    headers
}

/// Converts headers to the form of the delivery log, without the values of custom headers.
pub(super) fn to_log(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .map(|(name, value)| {
            let shown = if value.is_sensitive() {
                REDACTED.to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            (name.to_string(), shown)
        })
        .collect()
}

fn cancelled_exchange() -> Exchange {
    Exchange {
        outcome: Outcome::Failed(FailureReason::Cancelled),
        detail: None,
        response_headers: Vec::new(),
        response_body: Vec::new(),
        response_truncated: false,
    }
}
