//! Log lines on stderr: one for each attempt, and what an operator should know. `RUST_LOG` selects, secrets never occur.

use std::io::{self, IsTerminal};

use tracing_subscriber::{EnvFilter, fmt};

pub fn init(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,caleida=info"));
    let lines = fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    if json {
        lines.json().init();
    } else {
        lines.compact().with_target(false).init();
    }
}
