//! Accepts events: they queue up while the disk is busy, and are committed together.
//!
//! A publisher waits for the commit of the event and its deliveries. Events that arrive during a commit are all part of
//! the next one. So a single publisher waits for one commit, and a thousand publishers share a few.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Wake, attempt_runner::AttemptRunner, batcher::Batcher, cluster::Cluster, fence::Fence,
    kill_point::KillPoint, metrics::Metrics, slots::Slots,
};
use crate::{
    domain::Clock,
    store::{AcceptedEvent, ConflictingEvent, Leasing, Store, StoreError, Submission},
};

/// Maximum number of submissions that wait for the disk. Further ones are refused with 429.
const QUEUE_CAPACITY: usize = 1_024;

/// Maximum size of all waiting events, because a submission may be as large as a batch.
const MAX_QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// Maximum number of submissions in one commit.
const MAX_BATCH: usize = 256;

/// How long a publisher waits for others: about as long as the disk takes for a commit.
const MAX_WAIT: Duration = Duration::from_millis(1);

/// Accepts events. Cheap to clone: the task behind it ends after the last clone, when all waiting publishers have their
/// answers.
#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
}

/// Why a submission was not accepted. None of its events is stored.
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

type Answer = Result<Vec<AcceptedEvent>, PublishError>;

struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Answer>,
    /// Permits of [`MAX_QUEUED_BYTES`], held until the answer.
    bytes: OwnedSemaphorePermit,
}

impl Intake {
    /// Starts the task that commits, and returns a handle to it.
    pub(super) fn start(deps: Deps) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE_CAPACITY);
        let bytes = Arc::new(Semaphore::new(MAX_QUEUED_BYTES));
        (Self { queue, bytes }, tokio::spawn(deps.run(waiting)))
    }

    /// Returns when the events and their deliveries are on the disk.
    pub async fn publish(&self, submission: Submission) -> Answer {
        let (answer, answered) = oneshot::channel();
        let size: usize = submission.events.iter().map(|event| event.payload.len()).sum();
        let bytes = u32::try_from(size).ok().and_then(|size| {
            let bytes = Arc::clone(&self.bytes);
            bytes.try_acquire_many_owned(size).ok()
        });
        let waiting = Waiting {
            submission,
            answer,
            bytes: bytes.ok_or(PublishError::Busy)?,
        };
        self.queue.try_send(waiting).map_err(|_| PublishError::Busy)?;
        answered.await.unwrap_or(Err(PublishError::Busy))
    }
}

/// Dependencies of the task.
pub(super) struct Deps {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    pub attempt_runner: AttemptRunner,
    pub slots: Slots,
    pub wake: Arc<Wake>,
    pub cluster: Cluster,
    pub fence: Fence,
    pub delivers: bool,
    /// Duration of the lease of a delivery that goes to the attempt runner when it is stored.
    pub lease: Duration,
    pub metrics: Metrics,
}

impl Deps {
    async fn run(self, waiting: mpsc::Receiver<Waiting>) {
        let mut waiting = Batcher::new(waiting, MAX_BATCH, MAX_WAIT);
        let mut batch = Vec::with_capacity(MAX_BATCH);
        while waiting.next(&mut batch).await {
            let (submissions, answers): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .map(|waiting| (waiting.submission, (waiting.answer, waiting.bytes)))
                .unzip();
            match self.accept(&submissions).await {
                Ok(accepted) => {
                    for ((answer, _bytes), accepted) in answers.into_iter().zip(accepted) {
                        // Fails if the publisher has hung up. The event is stored all the same.
                        let _ = answer.send(accepted.map_err(PublishError::Conflict));
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "failed to store events");
                    let error = Arc::new(error);
                    for (answer, _bytes) in answers {
                        let _ = answer.send(Err(Arc::clone(&error).into()));
                    }
                }
            }
        }
    }

    /// Stores the events, and dispatches the deliveries that have a slot.
    async fn accept(
        &self,
        submissions: &[Submission],
    ) -> Result<Vec<Result<Vec<AcceptedEvent>, ConflictingEvent>>, StoreError> {
        let may_send = self.delivers && self.fence.is_open();
        let leasing = Leasing {
            lease: self.lease,
            limit: if may_send { self.slots.free() } else { 0 },
            room: &|webhook| self.slots.room_for_new(webhook),
        };
        KillPoint::BeforeStoring.reached();
        let accepted = self
            .store
            .accept_events(submissions, self.clock.now(), leasing)
            .await?;
        KillPoint::AfterStoring.reached();
        let stored = accepted.answers.iter().flatten().flatten();
        for event in stored.filter(|event| !event.repeated) {
            self.metrics.accepted(event.event_type);
        }
        let slots = self.slots.take_for_stored(&accepted.claimed, &accepted.behind);
        for (delivery, slot) in accepted.claimed.into_iter().zip(slots) {
            self.attempt_runner.dispatch(delivery, slot);
        }
        if !accepted.behind.is_empty() {
            self.wake.ring();
            self.cluster.notify_others();
        }
        Ok(accepted.answers)
    }
}
