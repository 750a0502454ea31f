//! Log lines on stderr: one for each attempt, and what an operator should know. `RUST_LOG` selects, secrets never occur.
//! With the feature `otel`, traces besides.

#[cfg(feature = "otel")]
pub(super) mod traces;

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::trace;

/// Lines that may wait to be written. Whoever reads them may be slow, and delivering does not wait for that: what is
/// beyond is dropped.
const WAITING: usize = 32_768;

/// What was logged is written until this is dropped.
#[must_use]
pub struct Log {
    _writer: WorkerGuard,
    #[cfg(feature = "otel")]
    _traces: Option<traces::Traces>,
}

/// Why there is no telemetry: what is set cannot be.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[cfg(feature = "otel")]
    #[error(
        "traces cannot be exported: {0}; see OTEL_EXPORTER_OTLP_ENDPOINT and the other variables of OpenTelemetry"
    )]
    Exporter(String),
    #[cfg(feature = "otel")]
    #[error(transparent)]
    Client(#[from] crate::delivery::sender::ClientError),
}

pub fn init(json: bool) -> Result<Log, TelemetryError> {
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
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
        .with(lines.with_filter(selected()))
        .with(exported)
        .init();
    Ok(Log {
        _writer: guard,
        #[cfg(feature = "otel")]
        _traces: traces,
    })
}

/// What is logged: never what is for traces, whatever `RUST_LOG` says.
fn selected() -> EnvFilter {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,caleida=info"));
    let no_traces = format!("{}=off", trace::TARGET);
    filter.add_directive(no_traces.parse().expect("a target and a level"))
}
