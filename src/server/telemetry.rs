//! Log lines on stderr: one for each attempt, and what an operator should know. `RUST_LOG` selects, secrets never occur.

use std::io::{self, IsTerminal};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{EnvFilter, fmt};

/// Lines that may wait to be written. Whoever reads them may be slow, and delivering does not wait for that: what is
/// beyond is dropped.
const WAITING: usize = 32_768;

/// What was logged is written until this is dropped.
#[must_use]
pub struct Log {
    _writer: WorkerGuard,
}

pub fn init(json: bool) -> Log {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,caleida=info"));
    let (writer, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(WAITING)
        .finish(io::stderr());
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(io::stderr().is_terminal());
    if json {
        lines.json().init();
    } else {
        lines.compact().with_target(false).init();
    }
    Log { _writer: guard }
}
