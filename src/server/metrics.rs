//! What an operator watches, as Prometheus reads it: on an address of its own, which no balancer leads to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::prometheus_text,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use tokio::sync::Mutex;

use super::process;
use crate::{
    delivery::{metrics::Metrics, slots::Slots},
    domain::Clock,
    store::{Store, StoreError},
};

/// Pending deliveries are counted no further, so that a scrape costs the same however long the backlog.
const COUNTED: u32 = 100_000;

/// For the database; a scrape that waits for longer tells only what the process itself knows.
const PATIENCE: Duration = Duration::from_secs(2);

/// Everything that is measured: what the engine counts by itself, and what is looked up for each scrape.
pub(super) struct Exposition {
    registry: Registry,
    pub(super) engine: Metrics,
    gauges: Gauges,
}

/// Whole numbers, but not a number at all while the database cannot be asked.
type Number = Gauge<f64, AtomicU64>;

#[derive(Default)]
struct Gauges {
    pending: Number,
    overdue: Number,
    inflight: Gauge,
    database_up: Gauge,
    resident_bytes: Gauge,
    open_files: Gauge,
    processor_seconds: Counter<f64, AtomicU64>,
}

impl Exposition {
    pub(super) fn new(role: &'static str, clock: &dyn Clock) -> Self {
        let mut registry = Registry::default();
        let engine = Metrics::register(&mut registry);
        let gauges = Gauges::default();
        registry.register(
            "caleida_deliveries_pending",
            format!("Deliveries that wait for an attempt, in the whole database; counted up to {COUNTED}"),
            gauges.pending.clone(),
        );
        registry.register(
            "caleida_oldest_due_seconds",
            "For how long the delivery has been due that waits longest, in the whole database",
            gauges.overdue.clone(),
        );
        registry.register(
            "caleida_inflight",
            "Attempts of this process that are under way",
            gauges.inflight.clone(),
        );
        registry.register(
            "caleida_database_up",
            "1 if the database answered this scrape",
            gauges.database_up.clone(),
        );
        let build = Family::<[(&str, &str); 2], Gauge>::default();
        build
            .get_or_create_owned(&[("version", env!("CARGO_PKG_VERSION")), ("role", role)])
            .set(1);
        registry.register("caleida_build_info", "What runs here", build);
        registry.register(
            "process_resident_memory_bytes",
            "Memory in use",
            gauges.resident_bytes.clone(),
        );
        registry.register(
            "process_open_fds",
            "Open files and connections",
            gauges.open_files.clone(),
        );
        registry.register(
            "process_cpu_seconds",
            "Processor time since the start",
            gauges.processor_seconds.clone(),
        );
        let started = Gauge::<i64>::default();
        started.set(clock.now().as_secs());
        registry.register(
            "process_start_time_seconds",
            "When it was started, in Unix time",
            started,
        );
        Self {
            registry,
            engine,
            gauges,
        }
    }

    /// `/metrics`, and nothing else.
    pub(super) fn router(self, store: Arc<Store>, clock: Arc<dyn Clock>, slots: Slots) -> Router {
        let desk = Desk {
            exposition: self,
            store,
            clock,
            slots,
            turn: Mutex::default(),
        };
        Router::new()
            .route("/metrics", get(scrape))
            .with_state(Arc::new(desk))
    }
}

struct Desk {
    exposition: Exposition,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    slots: Slots,
    /// One scrape at a time asks the database.
    turn: Mutex<()>,
}

async fn scrape(State(desk): State<Arc<Desk>>) -> Response {
    desk.look().await;
    let mut text = String::new();
    match prometheus_text::encode(&mut text, &desk.exposition.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to encode metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Desk {
    /// How many deliveries are pending, and for how long the first has been due.
    async fn ask(&self) -> Result<(u32, Duration), StoreError> {
        let pending = self.store.count_pending(COUNTED.into()).await?;
        let due = self.store.next_due().await?;
        let overdue = due.map_or(Duration::ZERO, |due| self.clock.now().since(due));
        Ok((u32::try_from(pending).unwrap_or(u32::MAX), overdue))
    }

    async fn look(&self) {
        let gauges = &self.exposition.gauges;
        let _turn = self.turn.lock().await;
        let answer = tokio::time::timeout(PATIENCE, self.ask()).await;
        let (up, pending, overdue) = match answer {
            Ok(Ok((pending, overdue))) => (1, f64::from(pending), overdue.as_secs_f64()),
            Ok(Err(_)) | Err(_) => (0, f64::NAN, f64::NAN),
        };
        gauges.database_up.set(up);
        gauges.pending.set(pending);
        gauges.overdue.set(overdue);
        gauges
            .inflight
            .set(i64::try_from(self.slots.taken()).unwrap_or(i64::MAX));
        if let Some(process) = process::look() {
            gauges.resident_bytes.set(process.resident_bytes);
            gauges.open_files.set(process.open_files);
            // The system counts, not we.
            let seconds = process.processor_seconds.to_bits();
            gauges.processor_seconds.inner().store(seconds, Ordering::Relaxed);
        }
    }
}
