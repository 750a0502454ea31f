use std::{process::ExitCode, sync::Arc};

use tokio::signal::unix::{SignalKind, signal};

use crate::server::{
    Config, Server,
    clock::{CommonClock, SystemClock},
    process, telemetry,
};

/// Runs until SIGTERM or SIGINT, then stops gracefully.
pub async fn run(config: Config) -> ExitCode {
    let _log = match telemetry::init(config.log_json) {
        Ok(log) => log,
        Err(error) => return super::fail(&error.to_string()),
    };
    process::allow_open_files();
    let public_url = config.public_url.clone();
    let server = match Server::start(config, Arc::new(CommonClock::new(SystemClock))).await {
        Ok(server) => server,
        Err(error) => return super::fail(&error.to_string()),
    };
    greet(&server, public_url);
    stop_signal().await;
    tracing::info!("shutting down, waiting for requests and attempts in flight");
    server.stop().await;
    ExitCode::SUCCESS
}

/// On stdout, since it is for the person who started it, and holds a password at the first start.
fn greet(server: &Server, public_url: Option<String>) {
    println!(
        "Caleida runs at {}",
        public_url.unwrap_or_else(|| format!("http://{}", server.address))
    );
    if let Some(address) = server.metrics {
        println!("Metrics at http://{address}/metrics");
    }
    if let Some(admin) = &server.first_admin {
        println!("First sign-in as {}", admin.email);
        if let Some(password) = &admin.generated_password {
            println!("One-time password, shown only now: {}", password.as_str());
        }
    }
}

async fn stop_signal() {
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
