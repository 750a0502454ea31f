//! Logging to stderr, filtered by `RUST_LOG`, and traces with the feature `otel`. Log lines never contain secrets.

#[cfg(feature = "otel")]
pub(super) mod traces;

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::trace;

/// Maximum number of buffered log lines. Further lines are dropped, so that a slow reader of stderr does not block
/// deliveries.
const MAX_BUFFERED_LINES: usize = 32_768;

/// Guard of the log writer. Buffered lines are written when it is dropped.
#[must_use]
pub struct Log {
    _writer: WorkerGuard,
    #[cfg(feature = "otel")]
    _traces: Option<traces::Traces>,
}

/// Invalid configuration of telemetry.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[cfg(feature = "otel")]
    #[error(
        "cannot export traces: {0}; check OTEL_EXPORTER_OTLP_ENDPOINT and the other OpenTelemetry variables"
    )]
    Exporter(String),
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Client(#[from] crate::delivery::sender::ClientError),
}

/// Initializes logging and, if configured, traces.
pub fn init(json: bool) -> Result<Log, TelemetryError> {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(MAX_BUFFERED_LINES)
        .finish(io::stderr());
    let lines = fmt::layer()
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal());
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if json {
        lines.json().boxed()
    } else {
        lines.compact().with_target(false).boxed()
    };
    #[cfg(feature = "otel")]
    let traces = traces::Traces::start()?;
    #[cfg(feature = "otel")]
    let exported = traces.as_ref().map(traces::Traces::layer);
    #[cfg(not(feature = "otel"))]
    let exported: Option<tracing_subscriber::layer::Identity> = None;
    tracing_subscriber::registry()
        .with(lines.with_filter(log_filter()))
        .with(exported)
        .init();
    Ok(Log {
        _writer: guard,
        #[cfg(feature = "otel")]
        _traces: traces,
    })
}

/// Returns the filter from `RUST_LOG`, which never includes the spans for traces.
fn log_filter() -> EnvFilter {
    // An empty variable counts as not set. The filter of an empty text would hide warnings.
    let configured = env::var(EnvFilter::DEFAULT_ENV)
        .ok()
        .filter(|filter| !filter.is_empty());
    let filter = configured.and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new("warn,caleida=info"));
    let no_traces = format!("{}=off", trace::TARGET);
    filter.add_directive(no_traces.parse().expect("a valid directive"))
}
