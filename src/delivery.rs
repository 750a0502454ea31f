//! The delivery engine: event in → stored with its deliveries → claimed → signed → sent → recorded.
//!
//! | step | where |
//! |---|---|
//! | many publishers share a commit | [`intake`] |
//! | what is due is claimed under a lease, fairly | [`scheduler`], [`slots`] |
//! | one attempt, from the gate to the recorder | `attempt_runner` |
//! | may this webhook be called now? | [`gate`] |
//! | HMAC-SHA256 as Standard Webhooks has it | [`signer`] |
//! | one guarded request with one deadline | [`sender`], [`guard`] |
//! | many outcomes share a commit | [`recorder`] |
//! | what an operator wants to see of it | [`metrics`] |
//! | several processes, one database | [`cluster`], [`fence`] |
//!
//! No database connection is held while a request is under way, and nothing here knows of axum, Leptos or SQL.

mod attempt_runner;
mod batcher;
pub mod cluster;
pub mod fence;
pub mod gate;
pub mod guard;
pub mod intake;
mod kill_point;
pub mod metrics;
pub mod recorder;
mod recovery;
pub mod scheduler;
pub mod sender;
pub mod signer;
pub mod slots;
pub mod tester;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::Notify,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    domain::{Clock, RetrySchedule},
    store::{Cache, Member, Store},
};
use attempt_runner::AttemptRunner;
use cluster::{Cluster, JoinError};
use fence::Fence;
use gate::Gate;
use intake::Intake;
use metrics::Metrics;
use recorder::Recorder;
use recovery::Recoverer;
use scheduler::Scheduler;
use sender::Sender;
use slots::Slots;
use tester::Tester;

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
    pub store: Arc<Store>,
    pub gate: Arc<Gate>,
    pub sender: Sender,
    pub clock: Arc<dyn Clock>,
    pub wake: Arc<Wake>,
    pub schedule: RetrySchedule,
    /// Of one exchange; the lease is made to outlive it.
    pub timeout: Duration,
    /// As the other processes know it, if there are any.
    pub member: Member,
    /// What else of this process has to hear of the others' changes.
    pub caches: Vec<Arc<dyn Cache>>,
    /// Otherwise it only takes events, and leaves them to other processes.
    pub delivers: bool,
    pub metrics: Metrics,
}

/// The running engine.
pub struct Engine {
    pub intake: Intake,
    pub slots: Slots,
    pub cluster: Cluster,
    pub tester: Tester,
    /// Keep this process among the others.
    membership: JoinSet<()>,
    stop: CancellationToken,
    attempt_runner: AttemptRunner,
    scheduler: Option<JoinHandle<()>>,
    recoverer: Option<JoinHandle<()>>,
    intake_task: JoinHandle<()>,
    recorder_task: JoinHandle<()>,
}

impl Engine {
    /// Starts to take events and to deliver them, first of all what a process that died was about to.
    pub async fn start(parts: Parts) -> Result<Self, JoinError> {
        let Parts {
            store,
            gate,
            sender,
            clock,
            wake,
            schedule,
            timeout,
            member,
            caches,
            delivers,
            metrics,
        } = parts;
        let lease = timeout + LEASE_MARGIN;
        let recovered = store.recover_leases(clock.now()).await?;
        if recovered > 0 {
            tracing::info!(recovered, "interrupted deliveries are due again");
        }
        let stop = CancellationToken::new();
        let slots = Slots::new(Arc::clone(&wake));
        let fence = Fence::default();
        // Before anything is read that another process may change.
        let (cluster, membership) = Cluster::join(cluster::Parts {
            store: Arc::clone(&store),
            gate: Arc::clone(&gate),
            slots: slots.clone(),
            wake: Arc::clone(&wake),
            clock: Arc::clone(&clock),
            fence: fence.clone(),
            caches,
            member,
        })
        .await?;
        let (recorder, recorder_task) =
            Recorder::start(Arc::clone(&store), Arc::clone(&gate), Arc::clone(&wake));
        let sender = Arc::new(sender);
        let tester = Tester::new(
            Arc::clone(&gate),
            Arc::clone(&sender),
            fence.clone(),
            Arc::clone(&clock),
        );
        let attempt_runner = AttemptRunner::new(attempt_runner::Deps {
            store: Arc::clone(&store),
            gate,
            sender,
            fence: fence.clone(),
            recorder,
            clock: Arc::clone(&clock),
            schedule,
            metrics: metrics.clone(),
        });
        let (intake, intake_task) = Intake::start(intake::Deps {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            attempt_runner: attempt_runner.clone(),
            slots: slots.clone(),
            wake: Arc::clone(&wake),
            cluster: cluster.clone(),
            fence: fence.clone(),
            delivers,
            lease,
            metrics,
        });
        let recoverer = Recoverer {
            store: Arc::clone(&store),
            wake: Arc::clone(&wake),
            clock: Arc::clone(&clock),
        };
        let recoverer = delivers.then(|| tokio::spawn(recoverer.run(stop.clone())));
        let scheduler = Scheduler {
            store,
            attempt_runner: attempt_runner.clone(),
            slots: slots.clone(),
            clock,
            wake,
            lease,
            fence,
        };
        let scheduler = delivers.then(|| tokio::spawn(scheduler.run(stop.clone())));
        Ok(Self {
            intake,
            slots,
            cluster,
            tester,
            membership,
            stop,
            attempt_runner,
            scheduler,
            recoverer,
            intake_task,
            recorder_task,
        })
    }

    /// Stops claiming at once, lets what is under way finish within `grace`, gives back what did not, and writes
    /// everything down. To call when nobody publishes any more.
    pub async fn stop(self, grace: Duration) {
        let Self {
            intake,
            slots,
            cluster,
            tester: _,
            mut membership,
            stop,
            attempt_runner,
            scheduler,
            recoverer,
            intake_task,
            recorder_task,
        } = self;
        slots.close();
        stop.cancel();
        drop(intake);
        for task in [scheduler, recoverer].into_iter().flatten() {
            let _ = task.await;
        }
        // Short: what is left to do is to commit. Bounded all the same, lest a full disk keeps the process alive.
        let _ = tokio::time::timeout(LAST_COMMITS, intake_task).await;
        attempt_runner.finish(grace).await;
        let _ = tokio::time::timeout(LAST_COMMITS, recorder_task).await;
        membership.shutdown().await;
        let _ = tokio::time::timeout(LAST_COMMITS, cluster.leave()).await;
    }
}

/// What a lease has beyond the time of one exchange, for opening the gate before it and recording after it.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// For the last commits of a process that stops.
const LAST_COMMITS: Duration = Duration::from_secs(5);
