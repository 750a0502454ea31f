//! The delivery engine: event in → stored with its deliveries → claimed → signed → sent → recorded.
//!
//! | step | where |
//! |---|---|
//! | many publishers share a commit | [`intake`] |
//! | what is due is claimed under a lease, fairly | [`scheduler`] |
//! | may this webhook be called now? | [`gate`] |
//! | HMAC-SHA256 as Standard Webhooks has it | [`signer`] |
//! | one guarded request with one deadline | [`sender`], [`guard`] |
//! | many outcomes share a commit | [`recorder`] |
//!
//! No database connection is held while a request is under way, and nothing here knows of axum, Leptos or SQL.

pub mod gate;
pub mod guard;
pub mod intake;
pub mod recorder;
pub mod scheduler;
pub mod sender;
pub mod signer;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Clock, RetrySchedule},
    store::Store,
};
use gate::Gate;
use intake::Intake;
use recorder::Recorder;
use scheduler::Scheduler;
use sender::Sender;

/// Rung whenever something may have become due, so that nobody has to poll for it.
#[derive(Default)]
pub struct Wake(Notify);

impl Wake {
    /// Wakes the scheduler, or lets its next wait return at once.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}

/// What the engine works with.
pub struct Parts {
    pub store: Arc<dyn Store>,
    pub gate: Arc<Gate>,
    pub sender: Sender,
    pub clock: Arc<dyn Clock>,
    pub wake: Arc<Wake>,
    pub schedule: RetrySchedule,
    /// Of one exchange; the lease is made to outlive it.
    pub timeout: Duration,
}

/// The running engine.
pub struct Engine {
    pub intake: Intake,
    stop: CancellationToken,
    abort: CancellationToken,
    scheduler: JoinHandle<()>,
    intake_task: JoinHandle<()>,
    recorder_task: JoinHandle<()>,
}

impl Engine {
    /// Starts to take events and to deliver them.
    pub fn start(parts: Parts) -> Self {
        let (stop, abort) = (CancellationToken::new(), CancellationToken::new());
        let (intake, intake_task) = Intake::start(
            Arc::clone(&parts.store),
            Arc::clone(&parts.clock),
            Arc::clone(&parts.wake),
        );
        let (recorder, recorder_task) = Recorder::start(
            Arc::clone(&parts.store),
            Arc::clone(&parts.gate),
            Arc::clone(&parts.wake),
        );
        let scheduler = tokio::spawn(Scheduler::new(parts, recorder).run(stop.clone(), abort.clone()));
        Self {
            intake,
            stop,
            abort,
            scheduler,
            intake_task,
            recorder_task,
        }
    }

    /// Stops claiming at once, lets what is under way finish within `grace`, gives back what did not, and writes
    /// everything down. To call when nobody publishes any more.
    pub async fn stop(self, grace: Duration) {
        let Self {
            intake,
            stop,
            abort,
            mut scheduler,
            intake_task,
            recorder_task,
        } = self;
        stop.cancel();
        drop(intake);
        if tokio::time::timeout(grace, &mut scheduler).await.is_err() {
            abort.cancel();
            let _ = scheduler.await;
        }
        // Short: what is left to do is to commit. Bounded all the same, lest a full disk keeps the process alive.
        let _ = tokio::time::timeout(LAST_COMMITS, async { tokio::join!(intake_task, recorder_task) }).await;
    }
}

/// For the last commits of a process that stops.
const LAST_COMMITS: Duration = Duration::from_secs(5);
