//! Records the outcomes of attempts. All attempts that end during a commit are part of the next one.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle};

use super::{Wake, batcher::Batcher, gate::Gate, kill_point::KillPoint};
use crate::store::{Next, RecordedAttempt, Store};

/// Maximum number of outcomes that wait for the disk. Beyond that, attempts wait too, so that memory stays bounded.
const QUEUE_CAPACITY: usize = 1_024;

/// Maximum number of outcomes in one commit.
const MAX_BATCH: usize = 256;

/// Maximum time an outcome waits for others. Fewer commits leave the disk to publishers.
const MAX_WAIT: Duration = Duration::from_millis(5);

/// Delay between retries while the database is unavailable. No outcome is lost when the disk is full.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Records outcomes. The task behind it ends after the last clone is dropped and all outcomes are recorded.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<RecordedAttempt>,
}

impl Recorder {
    pub fn start(store: Arc<Store>, gate: Arc<Gate>, wake: Arc<Wake>) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE_CAPACITY);
        (Self { queue }, tokio::spawn(run(waiting, store, gate, wake)))
    }

    pub async fn record(&self, attempt: RecordedAttempt) {
        // Fails only if the runtime stops. The lease then expires and the attempt is repeated.
        let _ = self.queue.send(attempt).await;
    }
}

async fn run(waiting: mpsc::Receiver<RecordedAttempt>, store: Arc<Store>, gate: Arc<Gate>, wake: Arc<Wake>) {
    let mut waiting = Batcher::new(waiting, MAX_BATCH, MAX_WAIT);
    let mut batch = Vec::with_capacity(MAX_BATCH);
    while waiting.next(&mut batch).await {
        let disabled = loop {
            match store.record_attempts(&batch).await {
                Ok(disabled) => break disabled,
                Err(error) => {
                    tracing::error!(%error, attempts = batch.len(), "failed to record attempts, retrying");
                    tokio::time::sleep(RETRY_DELAY).await;
                }
            }
        };
        KillPoint::AfterRecording.reached();
        for webhook in &disabled {
            gate.invalidate(webhook);
        }
        let retries = batch
            .drain(..)
            .any(|recorded| matches!(recorded.next, Next::RetryAt(_)));
        if retries {
            // A retry may be due before the scheduler wakes up.
            wake.notify();
        }
    }
}
