//! Prometheus metrics. They have their own listener, so that they are not exposed with the dashboard.

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

/// Maximum number of pending deliveries to count, which bounds the cost of a scrape.
const MAX_COUNTED: u32 = 100_000;

/// Timeout of the database queries of a scrape. After it, only the metrics of the process itself are returned.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(2);

/// All metrics: those that the engine updates, and gauges that are updated on each scrape.
pub(super) struct Exposition {
    registry: Registry,
    pub(super) engine: Metrics,
    gauges: Gauges,
}

/// A gauge for whole numbers that is NaN while the database is unavailable.
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
            format!("Pending deliveries in the whole database; counted up to {MAX_COUNTED}"),
            gauges.pending.clone(),
        );
        registry.register(
            "caleida_oldest_due_seconds",
            "Time since the oldest due delivery in the whole database became due",
            gauges.overdue.clone(),
        );
        registry.register(
            "caleida_inflight",
            "Attempts in progress in this process",
            gauges.inflight.clone(),
        );
        registry.register(
            "caleida_database_up",
            "1 if the database was available for this scrape",
            gauges.database_up.clone(),
        );
        let build = Family::<[(&str, &str); 2], Gauge>::default();
        build
            .get_or_create_owned(&[("version", env!("CARGO_PKG_VERSION")), ("role", role)])
            .set(1);
        registry.register("caleida_build_info", "Version and role of the process", build);
        registry.register(
            "process_resident_memory_bytes",
            "Resident memory",
            gauges.resident_bytes.clone(),
        );
        registry.register(
            "process_open_fds",
            "Open file descriptors",
            gauges.open_files.clone(),
        );
        registry.register(
            "process_cpu_seconds",
            "CPU time since the start",
            gauges.processor_seconds.clone(),
        );
        let started = Gauge::<i64>::default();
        started.set(clock.now().as_secs());
        registry.register(
            "process_start_time_seconds",
            "Start time of the process as Unix time",
            started,
        );
        Self {
            registry,
            engine,
            gauges,
        }
    }

    /// Returns a router with `/metrics`.
    pub(super) fn router(self, store: Arc<Store>, clock: Arc<dyn Clock>, slots: Slots) -> Router {
        let state = ScrapeState {
            exposition: self,
            store,
            clock,
            slots,
            lock: Mutex::default(),
        };
        Router::new()
            .route("/metrics", get(scrape))
            .with_state(Arc::new(state))
    }
}

struct ScrapeState {
    exposition: Exposition,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    slots: Slots,
    /// Allows one scrape at a time to query the database.
    lock: Mutex<()>,
}

async fn scrape(State(state): State<Arc<ScrapeState>>) -> Response {
    state.update_gauges().await;
    let mut text = String::new();
    match prometheus_text::encode(&mut text, &state.exposition.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to encode metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl ScrapeState {
    /// Returns the number of pending deliveries, and how long the oldest one has been due.
    async fn read_backlog(&self) -> Result<(u32, Duration), StoreError> {
        let pending = self.store.count_pending(MAX_COUNTED.into()).await?;
        let due = self.store.next_due().await?;
        let overdue = due.map_or(Duration::ZERO, |due| self.clock.now().since(due));
        Ok((u32::try_from(pending).unwrap_or(u32::MAX), overdue))
    }

    async fn update_gauges(&self) {
        let gauges = &self.exposition.gauges;
        let _guard = self.lock.lock().await;
        let backlog = tokio::time::timeout(DATABASE_TIMEOUT, self.read_backlog()).await;
        let (up, pending, overdue) = match backlog {
            Ok(Ok((pending, overdue))) => (1, f64::from(pending), overdue.as_secs_f64()),
            Ok(Err(_)) | Err(_) => (0, f64::NAN, f64::NAN),
        };
        gauges.database_up.set(up);
        gauges.pending.set(pending);
        gauges.overdue.set(overdue);
        gauges
            .inflight
            .set(i64::try_from(self.slots.in_flight()).unwrap_or(i64::MAX));
        if let Some(usage) = process::usage() {
            gauges.resident_bytes.set(usage.resident_bytes);
            gauges.open_files.set(usage.open_files);
            // The counter is set, not increased, because the system does the counting.
            let seconds = usage.processor_seconds.to_bits();
            gauges.processor_seconds.inner().store(seconds, Ordering::Relaxed);
        }
    }
}
