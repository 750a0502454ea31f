//! `caleida healthcheck`: for containers and supervisors that have no other way to ask.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use crate::delivery::sender::plain_client;

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub struct HealthcheckArgs {
    /// Where the process listens on this machine
    #[arg(
        long,
        env = "CALEIDA_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000"
    )]
    listen: SocketAddr,
}

/// Succeeds if the process is up and can reach its database.
pub async fn run(args: HealthcheckArgs) -> Result<(), String> {
    let url = format!("http://{}/readyz", reachable(args.listen));
    let client = plain_client().map_err(|error| error.to_string())?;
    let answer = client.get(&url).timeout(PATIENCE).send().await;
    match answer.map(|response| response.status()) {
        Ok(status) if status.is_success() => Ok(()),
        Ok(status) => Err(format!("not ready: {url} answers {status}")),
        Err(error) => Err(format!("nobody answers at {url}: {}", error.without_url())),
    }
}

/// Who listens everywhere listens on loopback.
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
    fn who_listens_everywhere_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:80", "[::1]:80"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
