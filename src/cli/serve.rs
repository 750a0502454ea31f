//! `caleida serve`: runs the server.

use std::{io, process::ExitCode, sync::Arc};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::terminal::{OutputError, write_line};
use crate::server::{
    Config, Server,
    clock::{SyncedClock, SystemClock},
    process, telemetry,
};

/// Runs until SIGTERM, SIGINT or SIGHUP (the end of its terminal), then shuts down gracefully. A second signal stops it at
/// once.
pub async fn run(config: Config) -> ExitCode {
    let _log = match telemetry::init(config.log_json) {
        Ok(log) => log,
        Err(error) => return super::fail(&error.to_string()),
    };
    process::raise_open_file_limit();
    let mut signals = match Signals::new() {
        Ok(signals) => signals,
        Err(error) => return super::fail(&format!("failed to handle signals: {error}")),
    };
    let start = Server::start(config, Arc::new(SyncedClock::new(SystemClock)));
    let started = tokio::select! {
        started = start => started,
        () = signals.next() => return super::fail("stopped by a signal before it had started"),
    };
    let server = match started {
        Ok(server) => server,
        Err(error) => return super::fail(&error.to_string()),
    };
    if let Err(error) = print_addresses(&server) {
        // The generated password is not in the log: `caleida user set-password` sets another one.
        tracing::warn!(%error, "failed to print the addresses and the first sign-in");
    }
    signals.next().await;
    tracing::info!("shutting down, waiting for requests and attempts in flight");
    tokio::select! {
        () = server.stop() => ExitCode::SUCCESS,
        () = signals.next() => {
            // Loses nothing: the leases of the attempts in flight expire, or end with the next start.
            tracing::warn!("second signal, stopped without waiting for requests and attempts in flight");
            ExitCode::FAILURE
        }
    }
}

/// Prints the addresses, and the first admin's password. They go to stdout, because a password must not be in the log.
fn print_addresses(server: &Server) -> Result<(), OutputError> {
    write_line(format_args!("Caleida runs at {}", server.url))?;
    if let Some(address) = server.metrics {
        write_line(format_args!("Metrics at http://{address}/metrics"))?;
    }
    if let Some(admin) = &server.first_admin {
        write_line(format_args!("First sign-in as {}", admin.email))?;
        if let Some(password) = &admin.generated_password {
            let password = password.as_str();
            write_line(format_args!("One-time password, shown only now: {password}"))?;
        }
    }
    Ok(())
}

/// The signals that stop the server.
struct Signals([Signal; 3]);

impl Signals {
    fn new() -> io::Result<Self> {
        let kinds = [
            SignalKind::terminate(),
            SignalKind::interrupt(),
            SignalKind::hangup(),
        ];
        let [terminate, interrupt, hangup] = kinds.map(signal);
        Ok(Self([terminate?, interrupt?, hangup?]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
