//! The outcomes of attempts, written down together: as many as have come in while the last commit was under way.

use std::{sync::Arc, time::Duration};

use tokio::{sync::mpsc, task::JoinHandle};

use super::{Wake, gate::Gate, gather::Gather, kill_point::KillPoint};
use crate::store::{Next, RecordedAttempt, Store};

/// Outcomes that may wait for the disk; then attempts wait too, instead of memory growing.
const QUEUE: usize = 1_024;

/// Outcomes in one commit.
const BATCH: usize = 256;

/// What an outcome among many waits for others: nobody waits for it, and each commit saved leaves the disk to publishers.
const PATIENCE: Duration = Duration::from_millis(5);

/// Between tries while the database does not take them: nothing that was sent is forgotten because the disk is full.
const PAUSE: Duration = Duration::from_millis(500);

/// Takes outcomes. It ends when the last clone is dropped and everything is written.
#[derive(Clone)]
pub struct Recorder {
    queue: mpsc::Sender<RecordedAttempt>,
}

impl Recorder {
    pub fn start(store: Arc<Store>, gate: Arc<Gate>, wake: Arc<Wake>) -> (Self, JoinHandle<()>) {
        let (queue, waiting) = mpsc::channel(QUEUE);
        (Self { queue }, tokio::spawn(run(waiting, store, gate, wake)))
    }

    pub async fn record(&self, attempt: RecordedAttempt) {
        // It can only fail once the task is gone, with the runtime; then the lease lapses and the attempt is repeated.
        let _ = self.queue.send(attempt).await;
    }
}

async fn run(waiting: mpsc::Receiver<RecordedAttempt>, store: Arc<Store>, gate: Arc<Gate>, wake: Arc<Wake>) {
    let mut waiting = Gather::new(waiting, BATCH, PATIENCE);
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.next(&mut batch).await {
        let disabled = loop {
            match store.record_attempts(&batch).await {
                Ok(disabled) => break disabled,
                Err(error) => {
                    tracing::error!(%error, attempts = batch.len(), "failed to record attempts, retrying");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        KillPoint::AfterRecording.reached();
        for webhook in &disabled {
            gate.refresh(webhook);
        }
        let retries = batch
            .drain(..)
            .any(|recorded| matches!(recorded.next, Next::RetryAt(_)));
        if retries {
            // It may be due before whatever the scheduler sleeps for.
            wake.ring();
        }
    }
}
