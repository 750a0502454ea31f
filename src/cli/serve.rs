//! `caleida serve`: runs the server.

use std::{process::ExitCode, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};

use super::terminal::{OutputError, write_line};
use crate::server::{
    Config, Server,
    clock::{SyncedClock, SystemClock},
    process, telemetry,
};

/// Runs until SIGTERM or SIGINT, then shuts down gracefully.
pub async fn run(config: Config) -> ExitCode {
    let _log = match telemetry::init(config.log_json) {
        Ok(log) => log,
        Err(error) => return super::fail(&error.to_string()),
    };
    process::raise_open_file_limit();
    let server = match Server::start(config, Arc::new(SyncedClock::new(SystemClock))).await {
        Ok(server) => server,
        Err(error) => return super::fail(&error.to_string()),
    };
    if let Err(error) = print_addresses(&server) {
        // The generated password is not in the log: `caleida user set-password` sets another one.
        tracing::warn!(%error, "failed to print the addresses and the first sign-in");
    }
    shutdown_signal().await;
    tracing::info!("shutting down, waiting for requests and attempts in flight");
    server.stop().await;
    ExitCode::SUCCESS
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

async fn shutdown_signal() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
