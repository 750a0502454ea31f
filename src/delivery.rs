//! The delivery engine. An event is stored with its deliveries; each delivery is claimed, signed, sent and recorded.
//!
//! | step | module |
//! |---|---|
//! | Stores events, many in one commit | [`intake`] |
//! | Stores and updates deliveries that exceed one commit | `background` |
//! | Claims due deliveries under a lease, webhook by webhook | [`scheduler`], [`slots`] |
//! | Runs one attempt, from the gate to the recorder | `attempt_runner` |
//! | Checks that the webhook may be called now | [`gate`] |
//! | Signs with HMAC-SHA256, as Standard Webhooks specifies | [`signer`] |
//! | Sends one guarded request before one deadline | [`sender`], [`guard`] |
//! | Records outcomes, many in one commit | [`recorder`] |
//! | Counts events and attempts | [`metrics`] |
//! | Coordinates the processes that share a database | [`cluster`], [`fence`] |
//!
//! No database connection is held while a request is in flight. This module does not depend on axum, Leptos or SQL.

mod attempt_runner;
mod background;
mod batcher;
pub mod cluster;
pub mod fence;
mod filters;
pub mod gate;
pub mod guard;
mod hidden;
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
    domain::{Clock, RetrySchedule, delivery_settings::TimeoutSeconds},
    store::{Cache, Member, Store},
};
use attempt_runner::AttemptRunner;
use background::BackgroundWork;
use cluster::{Cluster, JoinError};
use fence::Fence;
use gate::Gate;
use intake::Intake;
use metrics::Metrics;
use recorder::Recorder;
use recovery::RecoveryRunner;
use scheduler::Scheduler;
use sender::Sender;
use slots::Slots;
use tester::Tester;

/// Signal that a delivery may be due, so that the scheduler does not have to poll.
#[derive(Default)]
pub struct Wake(Notify);

impl Wake {
    /// Wakes the scheduler, or lets its next wait return at once.
    pub fn notify(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn notified(&self) {
        self.0.notified().await;
    }
}

/// Dependencies and settings of the engine.
pub struct Deps {
    pub store: Arc<Store>,
    pub gate: Arc<Gate>,
    pub sender: Sender,
    pub clock: Arc<dyn Clock>,
    pub wake: Arc<Wake>,
    pub schedule: RetrySchedule,
    /// Timeout of one exchange with a receiver. A lease lasts longer.
    pub timeout: Duration,
    /// This process as a member of the cluster.
    pub member: Member,
    /// Caches that are invalidated by changes of other processes.
    pub caches: Vec<Arc<dyn Cache>>,
    /// Whether this process sends. Otherwise it only stores events, and other processes deliver them.
    pub delivers: bool,
    pub metrics: Metrics,
}

/// The running engine.
pub struct Engine {
    pub intake: Intake,
    pub slots: Slots,
    pub cluster: Cluster,
    pub tester: Tester,
    /// Background tasks that keep this process in the cluster.
    membership: JoinSet<()>,
    stop: CancellationToken,
    attempt_runner: AttemptRunner,
    scheduler: Option<JoinHandle<()>>,
    background: JoinHandle<()>,
    recovery_runner: Option<JoinHandle<()>>,
    intake_task: JoinHandle<()>,
    recorder_task: JoinHandle<()>,
}

impl Engine {
    /// Starts the engine. Deliveries that were interrupted by a crash become due at once.
    pub async fn start(deps: Deps) -> Result<Self, JoinError> {
        let Deps {
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
        } = deps;
        let lease = (timeout + LEASE_MARGIN).max(TimeoutSeconds::MAX + MIN_LEASE_MARGIN);
        let recovered = store.recover_leases(clock.now()).await?;
        if recovered > 0 {
            tracing::info!(recovered, "interrupted deliveries are due again");
        }
        let stop = CancellationToken::new();
        let slots = Slots::new(Arc::clone(&wake));
        let fence = Fence::default();
        // Joins before anything is read, because another process may change it.
        let (cluster, membership) = Cluster::join(cluster::Deps {
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
        let attempt_runner = AttemptRunner::new(attempt_runner::Worker {
            store: Arc::clone(&store),
            gate,
            sender,
            fence: fence.clone(),
            recorder,
            clock: Arc::clone(&clock),
            schedule,
            metrics: metrics.clone(),
        });
        let fan_outs = Arc::new(Notify::new());
        let background = BackgroundWork {
            store: Arc::clone(&store),
            wake: Arc::clone(&wake),
            cluster: cluster.clone(),
            clock: Arc::clone(&clock),
            fan_outs: Arc::clone(&fan_outs),
        };
        let background = tokio::spawn(background.run(stop.clone()));
        let (intake, intake_task) = Intake::start(intake::Worker {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock),
            attempt_runner: attempt_runner.clone(),
            slots: slots.clone(),
            wake: Arc::clone(&wake),
            cluster: cluster.clone(),
            fence: fence.clone(),
            fan_outs,
            delivers,
            lease,
            metrics,
        });
        let recovery_runner = RecoveryRunner {
            store: Arc::clone(&store),
            wake: Arc::clone(&wake),
            clock: Arc::clone(&clock),
        };
        let recovery_runner = delivers.then(|| tokio::spawn(recovery_runner.run(stop.clone())));
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
            background,
            recovery_runner,
            intake_task,
            recorder_task,
        })
    }

    /// Stops claiming at once, waits up to `grace` for the attempts in flight, and aborts the rest and releases their
    /// leases. Records all outcomes. Must be called after the last event is published.
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
            background,
            recovery_runner,
            intake_task,
            recorder_task,
        } = self;
        slots.close();
        stop.cancel();
        drop(intake);
        // The timeouts keep a full disk, or a database that does not respond, from blocking the shutdown.
        let optional = [scheduler, recovery_runner].into_iter().flatten();
        for task in optional.chain([background]) {
            let _ = tokio::time::timeout(FINAL_COMMIT_TIMEOUT, task).await;
        }
        // Only commits are left.
        let _ = tokio::time::timeout(FINAL_COMMIT_TIMEOUT, intake_task).await;
        attempt_runner.finish(grace).await;
        let _ = tokio::time::timeout(FINAL_COMMIT_TIMEOUT, recorder_task).await;
        membership.shutdown().await;
        let _ = tokio::time::timeout(FINAL_COMMIT_TIMEOUT, cluster.leave()).await;
    }
}

/// Duration of a lease beyond one exchange: time to pass the gate before and to record the outcome after.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// The same for webhooks with the longest timeout.
const MIN_LEASE_MARGIN: Duration = Duration::from_secs(2);

/// Timeout of each last step of a shutdown.
const FINAL_COMMIT_TIMEOUT: Duration = Duration::from_secs(5);
