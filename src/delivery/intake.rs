//! Accepts events and stores them with group commit.
//!
//! A publisher waits for the commit of its event and the event's deliveries. Events that arrive during a commit are all
//! part of the next one. So a single publisher waits for one commit, and a thousand publishers share a few.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Wake, attempt_runner::AttemptRunner, batcher::Batcher, cluster::Cluster, fence::Fence, filters::Filters,
    kill_point::KillPoint, metrics::Metrics, slots::Slots,
};
use crate::{
    domain::Clock,
    store::{Acceptance, AcceptedEvent, ConflictingEvent, Leasing, Store, StoreError, Submission},
};

/// Maximum number of submissions that wait for the disk. More submissions are rejected with 429.
const QUEUE_CAPACITY: usize = 1_024;

/// Maximum total size of the waiting events, because a single submission may be a large batch.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// Maximum number of submissions in one commit.
const MAX_BATCH: usize = 256;

/// Maximum number of times that filters are read again because they have changed.
const MAX_RELOADS: u32 = 5;

/// Maximum time a submission waits for others: about the duration of a commit.
const MAX_WAIT: Duration = Duration::from_millis(1);

/// Accepts events. Cheap to clone. The task behind it ends after the last clone is dropped and all waiting publishers
/// have their result.
#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
}

/// Reason a submission was not accepted. None of its events are stored.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Another event has the same id or idempotency key.
    #[error("event {} already exists with other content", .0.id)]
    Conflict(ConflictingEvent),
    /// The queue is full.
    #[error("too many events are waiting to be stored")]
    Busy,
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

type PublishResult = Result<Vec<AcceptedEvent>, PublishError>;

struct Waiting {
    submission: Submission,
    result: oneshot::Sender<PublishResult>,
    /// Share of [`MAX_QUEUED_BYTES`], held until the result is sent.
    bytes: OwnedSemaphorePermit,
}

impl Intake {
    /// Starts the task that commits and returns its handle.
    pub(super) fn start(worker: Worker) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE_CAPACITY);
        let bytes = Arc::new(Semaphore::new(MAX_QUEUED_BYTES));
        (Self { queue, bytes }, tokio::spawn(worker.run(waiting)))
    }

    /// Returns when the events and their deliveries are on the disk.
    pub async fn publish(&self, submission: Submission) -> PublishResult {
        let (result, received) = oneshot::channel();
        let size: usize = submission.events.iter().map(|event| event.payload.len()).sum();
        let bytes = u32::try_from(size).ok().and_then(|size| {
            let bytes = Arc::clone(&self.bytes);
            bytes.try_acquire_many_owned(size).ok()
        });
        let waiting = Waiting {
            submission,
            result,
            bytes: bytes.ok_or(PublishError::Busy)?,
        };
        self.queue.try_send(waiting).map_err(|_| PublishError::Busy)?;
        received.await.unwrap_or(Err(PublishError::Busy))
    }
}

/// Dependencies of the task.
pub(super) struct Worker {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    pub attempt_runner: AttemptRunner,
    pub slots: Slots,
    pub wake: Arc<Wake>,
    pub cluster: Cluster,
    pub fence: Fence,
    /// Signals that events were accepted without all of their deliveries.
    pub fan_outs: Arc<Notify>,
    pub delivers: bool,
    /// Duration of the lease of a delivery that is dispatched as soon as it is stored.
    pub lease: Duration,
    pub metrics: Metrics,
}

impl Worker {
    async fn run(self, waiting: mpsc::Receiver<Waiting>) {
        let mut waiting = Batcher::new(waiting, MAX_BATCH, MAX_WAIT);
        let mut batch = Vec::with_capacity(MAX_BATCH);
        let mut filters = Filters::default();
        while waiting.next(&mut batch).await {
            let (submissions, results): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .map(|waiting| (waiting.submission, (waiting.result, waiting.bytes)))
                .unzip();
            match self.accept(&submissions, &mut filters).await {
                Ok(accepted) => {
                    for ((result, _bytes), accepted) in results.into_iter().zip(accepted) {
                        // Fails if the publisher has disconnected. The event is stored regardless.
                        let _ = result.send(accepted.map_err(PublishError::Conflict));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "failed to store events");
                    let error = Arc::new(error);
                    for (result, _bytes) in results {
                        let _ = result.send(Err(Arc::clone(&error).into()));
                    }
                }
            }
        }
    }

    /// Stores the events and dispatches the deliveries that have a slot.
    async fn accept(
        &self,
        submissions: &[Submission],
        filters: &mut Filters,
    ) -> Result<Vec<Result<Vec<AcceptedEvent>, ConflictingEvent>>, StoreError> {
        let may_send = self.delivers && self.fence.is_open();
        let leasing = Leasing {
            lease: self.lease,
            limit: if may_send { self.slots.free() } else { 0 },
            capacity: &|webhook| self.slots.capacity_for_new(webhook),
        };
        KillPoint::BeforeStoring.reached();
        let mut evaluation = filters.evaluate(submissions);
        let mut reloads = 0;
        let accepted = loop {
            let stored = self
                .store
                .accept_events(submissions, &evaluation, self.clock.now(), leasing);
            match stored.await? {
                Acceptance::Stored(accepted) => break accepted,
                Acceptance::OtherFilters(_) if reloads == MAX_RELOADS => {
                    return Err(StoreError::unavailable("filters keep changing"));
                }
                Acceptance::OtherFilters(accounts) => {
                    reloads += 1;
                    filters.reload(&self.store, &accounts).await?;
                    evaluation = filters.evaluate(submissions);
                }
            }
        };
        KillPoint::AfterStoring.reached();
        let stored = accepted.results.iter().flatten().flatten();
        for event in stored.filter(|event| !event.repeated) {
            self.metrics.accepted(event.event_type);
        }
        let slots = self
            .slots
            .take_for_stored(&accepted.claimed, &accepted.backlogged);
        for (delivery, slot) in accepted.claimed.into_iter().zip(slots) {
            self.attempt_runner.dispatch(delivery, slot);
        }
        if !accepted.backlogged.is_empty() {
            self.wake.notify();
            self.cluster.notify_others();
        }
        if accepted.has_fan_outs {
            self.fan_outs.notify_one();
        }
        Ok(accepted.results)
    }
}
