//! `caleida healthcheck`: checks `/readyz`, for containers without an HTTP client.

use std::{net::SocketAddr, time::Duration};

use crate::{delivery::sender::plain_client, server::config::local_url};

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub struct HealthcheckArgs {
    /// Address that the server listens on
    #[arg(
        long,
        env = "CALEIDA_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000"
    )]
    listen: SocketAddr,
}

/// Succeeds if the server is running and can reach its database.
pub async fn run(args: HealthcheckArgs) -> Result<(), String> {
    let url = local_url(args.listen).join("/readyz");
    let client = plain_client().map_err(|error| error.to_string())?;
    let response = client.get(&url).timeout(TIMEOUT).send().await;
    match response.map(|response| response.status()) {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(format!("not ready: {url} returned {status}")),
        Err(error) => Err(format!("no response from {url}: {}", error.without_url())),
    }
}
