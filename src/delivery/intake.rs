//! Events coming in: gathered while the disk is busy, committed together.
//!
//! Whoever publishes waits for the commit that holds the event and its deliveries. While one commit is under way, the
//! others queue up; the next takes all of them. So one publisher waits for one commit, and a thousand share a few.

use std::sync::Arc;

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::Wake;
use crate::{
    domain::Clock,
    store::{AcceptedEvent, ConflictingEvent, Store, StoreError, Submission},
};

/// Submissions that may wait for the disk; beyond that, publishers are asked to come back later.
const QUEUE: usize = 1_024;

/// Submissions in one commit.
const BATCH: usize = 256;

/// Takes events. Cheap to clone; the intake ends when the last clone is dropped and everything waiting is answered.
#[derive(Clone)]
pub struct Intake {
    queue: mpsc::Sender<Waiting>,
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
}

impl Intake {
    /// Starts the task that commits, and answers the way to it.
    pub fn start(store: Arc<dyn Store>, clock: Arc<dyn Clock>, wake: Arc<Wake>) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (Self { queue }, tokio::spawn(run(waiting, store, clock, wake)))
    }

    /// Returns when the events and their deliveries are durable.
    pub async fn publish(&self, submission: Submission) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.queue
            .try_send(Waiting { submission, answer })
            .map_err(|_| PublishError::Busy)?;
        answered.await.unwrap_or(Err(PublishError::Busy))
    }
}

async fn run(
    mut waiting: mpsc::Receiver<Waiting>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    wake: Arc<Wake>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (submissions, answers): (Vec<_>, Vec<_>) = batch
            .drain(..)
            .map(|Waiting { submission, answer }| (submission, answer))
            .unzip();
        match store.accept_events(&submissions, clock.now()).await {
            Ok(accepted) => {
                wake.ring();
                for (answer, accepted) in answers.into_iter().zip(accepted) {
                    // Who has hung up does not need the answer; the event is stored all the same.
                    let _ = answer.send(accepted.map_err(PublishError::Conflict));
                }
            }
            Err(error) => {
                tracing::error!(%error, "events could not be stored");
                let error = Arc::new(error);
                for answer in answers {
                    let _ = answer.send(Err(Arc::clone(&error).into()));
                }
            }
        }
    }
}
