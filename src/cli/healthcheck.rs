//! `caleida healthcheck`: checks `/readyz`, for containers without an HTTP client.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use crate::delivery::sender::plain_client;

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
    let url = format!("http://{}/readyz", reachable(args.listen));
    let client = plain_client().map_err(|error| error.to_string())?;
    let response = client.get(&url).timeout(TIMEOUT).send().await;
    match response.map(|response| response.status()) {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(format!("not ready: {url} returned {status}")),
        Err(error) => Err(format!("no response from {url}: {}", error.without_url())),
    }
}

/// Returns the loopback address for a server that listens on all addresses, and other addresses unchanged.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_addresses_are_checked_on_loopback() {
        for (listen, expected) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), expected.parse().unwrap());
        }
    }
}
