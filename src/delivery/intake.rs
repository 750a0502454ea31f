//! Events coming in: gathered while the disk is busy, committed together.
//!
//! Whoever publishes waits for the commit that holds the event and its deliveries. While one commit is under way, the
//! others queue up; the next takes all of them. So one publisher waits for one commit, and a thousand share a few.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    Wake, cluster::Cluster, courier::Courier, fence::Fence, gather::Gather, kill_point::KillPoint,
    metrics::Metrics, slots::Slots,
};
use crate::{
    domain::Clock,
    store::{AcceptedEvent, ConflictingEvent, Leasing, Store, StoreError, Submission},
};

/// Submissions that may wait for the disk; beyond that, publishers are asked to come back later.
const QUEUE: usize = 1_024;

/// Bytes of all events that may wait, for a submission may be as large as a batch.
const QUEUED_BYTES: usize = 64 * 1024 * 1024;

/// Submissions in one commit.
const BATCH: usize = 256;

/// What a publisher among many waits for the others: about as long as the disk takes for a commit.
const PATIENCE: Duration = Duration::from_millis(1);

/// Takes events. Cheap to clone; the intake ends when the last clone is dropped and everything waiting is answered.
#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
    bytes: Arc<Semaphore>,
}

/// Why events were not accepted. Nothing of the submission is stored then.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The id or idempotency key already stands for another event.
    #[error("event {} already exists with other content", .0.id)]
    Conflict(ConflictingEvent),
    /// More is coming in than the disk takes: try again in a moment.
    #[error("too many events are waiting to be stored")]
    Busy,
    #[error(transparent)]
    Store(#[from] Arc<StoreError>),
}

type Answer = Result<Vec<AcceptedEvent>, PublishError>;

struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Answer>,
    /// Its share of [`QUEUED_BYTES`], until it is answered.
    bytes: OwnedSemaphorePermit,
}

impl Intake {
    /// Starts the task that commits, and answers the way to it.
    pub(super) fn start(parts: Parts) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let bytes = Arc::new(Semaphore::new(QUEUED_BYTES));
        (Self { queue, bytes }, tokio::spawn(parts.run(waiting)))
    }

    /// Returns when the events and their deliveries are durable.
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

/// What the task works with.
pub(super) struct Parts {
    pub store: Arc<Store>,
    pub clock: Arc<dyn Clock>,
    pub courier: Courier,
    pub slots: Slots,
    pub wake: Arc<Wake>,
    pub cluster: Cluster,
    pub fence: Fence,
    pub delivers: bool,
    /// Of a delivery that is handed to the courier by the commit that stores it.
    pub lease: Duration,
    pub metrics: Metrics,
}

impl Parts {
    async fn run(self, waiting: mpsc::Receiver<Waiting>) {
        let mut waiting = Gather::new(waiting, BATCH, PATIENCE);
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.next(&mut batch).await {
            let (submissions, answers): (Vec<_>, Vec<_>) = batch
                .drain(..)
                .map(|waiting| (waiting.submission, (waiting.answer, waiting.bytes)))
                .unzip();
            match self.accept(&submissions).await {
                Ok(accepted) => {
                    for ((answer, _bytes), accepted) in answers.into_iter().zip(accepted) {
                        // Who has hung up does not need the answer; the event is stored all the same.
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

    /// Stores them, and has sent at once what finds a slot.
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
            self.courier.dispatch(delivery, slot);
        }
        if !accepted.behind.is_empty() {
            self.wake.ring();
            self.cluster.call_others();
        }
        Ok(accepted.answers)
    }
}
