//! Configuration. Every setting is a flag of `caleida serve` and an environment variable.

mod database_url;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    num::NonZeroU32,
    path::PathBuf,
    time::Duration,
};

use clap::{Args, ValueEnum, builder::BoolishValueParser};
use ipnet::IpNet;
use strum::IntoStaticStr;
use zeroize::Zeroizing;

pub use self::database_url::database_url;
use crate::{
    api::Limits,
    domain::{Email, PublicUrl, RetrySchedule, Transport},
};

/// Setting for the database.
#[derive(Debug, Clone, Args)]
pub struct Database {
    /// Database: an SQLite file, created by serve and migrate, or a PostgreSQL database
    #[arg(
        long,
        env = "DATABASE_URL",
        value_name = "URL",
        default_value = "sqlite://data/caleida.db"
    )]
    #[arg(value_parser = database_url, hide_env_values = true)]
    pub database_url: String,
}

/// Settings for the keys that encrypt the webhooks' secrets.
#[derive(Clone, Args)]
pub struct MasterKeys {
    /// Master key that encrypts the webhooks' secrets: 32 random bytes in base64; overrides the file
    #[arg(
        long,
        env = "CALEIDA_MASTER_KEY",
        value_name = "BASE64",
        hide_env_values = true
    )]
    pub master_key: Option<Zeroizing<String>>,

    /// File with the master key; created at the first start
    #[arg(
        long,
        env = "CALEIDA_MASTER_KEY_FILE",
        value_name = "PATH",
        default_value = "data/master.key"
    )]
    pub master_key_file: PathBuf,

    /// Previous master key, which decrypts secrets during a key rotation; overrides the file
    #[arg(
        long,
        env = "CALEIDA_PREVIOUS_MASTER_KEY",
        value_name = "BASE64",
        hide_env_values = true
    )]
    pub previous_master_key: Option<Zeroizing<String>>,

    /// File with the previous master key
    #[arg(long, env = "CALEIDA_PREVIOUS_MASTER_KEY_FILE", value_name = "PATH")]
    pub previous_master_key_file: Option<PathBuf>,
}

/// Settings of `caleida serve`.
#[derive(Clone, Args)]
pub struct Config {
    #[command(flatten)]
    pub database: Database,

    /// What this process runs; roles other than all require a shared PostgreSQL database
    #[arg(long, env = "CALEIDA_ROLE", value_name = "ROLE", value_enum, default_value_t = Role::All)]
    pub role: Role,

    /// Address of the dashboard and the API; for a worker, of /healthz and /readyz
    #[arg(
        long,
        env = "CALEIDA_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:3000"
    )]
    pub listen: SocketAddr,

    /// Address of /metrics, for Prometheus, or off
    #[arg(
        long,
        env = "CALEIDA_METRICS_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:9464"
    )]
    #[arg(value_parser = metrics_listen)]
    pub metrics_listen: MetricsListen,

    /// URL of the dashboard in browsers: http(s)://HOST[:PORT]; with https, cookies require https [default: http:// +
    /// listen]
    #[arg(long, env = "CALEIDA_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Networks of trusted proxies, comma-separated CIDRs; their X-Forwarded-For sets the client address
    #[arg(
        long,
        env = "CALEIDA_TRUSTED_PROXIES",
        value_name = "CIDRS",
        default_value = "",
        hide_default_value = true
    )]
    #[arg(value_parser = networks)]
    pub trusted_proxies: Networks,

    #[command(flatten)]
    pub keys: MasterKeys,

    /// Email address of the first admin, created if there are no users
    #[arg(
        long,
        env = "CALEIDA_ADMIN_EMAIL",
        value_name = "EMAIL",
        default_value = "admin@localhost",
        value_parser = Email::parse
    )]
    pub admin_email: Email,

    /// Password of the first admin; without it, one is generated and printed once
    #[arg(
        long,
        env = "CALEIDA_ADMIN_PASSWORD",
        value_name = "PASSWORD",
        hide_env_values = true
    )]
    pub admin_password: Option<Zeroizing<String>>,

    /// Allow http:// URLs for webhooks
    #[arg(
        long,
        env = "CALEIDA_ALLOW_HTTP",
        value_name = "BOOL",
        default_value_t = false
    )]
    #[arg(value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub allow_http: bool,

    /// Private networks that webhooks can call, comma-separated CIDRs; cloud metadata addresses stay blocked
    #[arg(
        long,
        env = "CALEIDA_ALLOW_NETWORKS",
        value_name = "CIDRS",
        default_value = "",
        hide_default_value = true
    )]
    #[arg(value_parser = networks)]
    pub allow_networks: Networks,

    /// Delays between attempts, comma-separated; one more attempt than delays; or off for a single attempt
    #[arg(
        long,
        env = "CALEIDA_RETRY_SCHEDULE",
        value_name = "DELAYS",
        default_value = "5s,5m,30m,2h,5h,10h,14h,20h,24h"
    )]
    pub retry_schedule: RetrySchedule,

    /// Timeout of one attempt, for the whole exchange with the receiver
    #[arg(
        long,
        env = "CALEIDA_DELIVERY_TIMEOUT",
        value_name = "TIME",
        default_value = "15s"
    )]
    #[arg(value_parser = delivery_timeout)]
    pub delivery_timeout: Duration,

    /// Retention of events with their deliveries and attempts; held deliveries are dropped with them, and events with
    /// pending deliveries are kept
    #[arg(long, env = "CALEIDA_RETENTION", value_name = "TIME", default_value = "30d")]
    #[arg(value_parser = retention)]
    pub retention: Duration,

    /// Maximum API requests per second and key, not counting publishing, for each process; or off
    #[arg(
        long,
        env = "CALEIDA_API_RATE_LIMIT",
        value_name = "RATE",
        default_value = "100"
    )]
    #[arg(value_parser = rate)]
    pub api_rate_limit: Rate,

    /// Maximum published events per second and account, for each process; or off
    #[arg(
        long,
        env = "CALEIDA_EVENT_RATE_LIMIT",
        value_name = "RATE",
        default_value = "off"
    )]
    #[arg(value_parser = rate)]
    pub event_rate_limit: Rate,

    /// Maximum number of webhooks per account
    #[arg(
        long,
        env = "CALEIDA_MAX_WEBHOOKS",
        value_name = "NUMBER",
        default_value_t = 1_000
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_webhooks: u32,

    /// Maximum size of an event, up to 1MiB
    #[arg(
        long,
        env = "CALEIDA_MAX_EVENT_SIZE",
        value_name = "SIZE",
        default_value = "256KiB"
    )]
    #[arg(value_parser = event_size)]
    pub max_event_size: usize,

    /// Time for requests and attempts in progress to finish at shutdown
    #[arg(
        long,
        env = "CALEIDA_SHUTDOWN_GRACE",
        value_name = "TIME",
        default_value = "20s"
    )]
    #[arg(value_parser = humantime::parse_duration)]
    pub shutdown_grace: Duration,

    /// Folder with the dashboard's scripts and styles [default: site, next to the program or its folder]
    #[arg(long, env = "LEPTOS_SITE_ROOT", value_name = "PATH")]
    pub site_root: Option<PathBuf>,

    /// Write log lines as JSON
    #[arg(long, env = "CALEIDA_LOG_JSON", value_name = "BOOL", default_value_t = false)]
    #[arg(value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub log_json: bool,
}

impl Config {
    pub fn transport(&self) -> Transport {
        if self.allow_http {
            Transport::HttpAllowed
        } else {
            Transport::HttpsOnly
        }
    }

    /// Returns the limits of the API.
    pub fn limits(&self) -> Limits {
        Limits::new(
            self.api_rate_limit.0,
            self.event_rate_limit.0,
            self.max_event_size,
        )
    }

    /// Returns whether the dashboard is served over https.
    pub fn is_https(&self) -> bool {
        self.public_url.as_ref().is_some_and(PublicUrl::is_https)
    }
}

/// Returns the URL at which this machine reaches a server that listens on `address`.
pub fn local_url(address: SocketAddr) -> PublicUrl {
    PublicUrl::of_address(reachable(address))
}

/// Returns the loopback address for a server that listens on all addresses, and other addresses unchanged.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// Role of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    /// Dashboard, API and delivery
    All,
    /// Dashboard and API; events are delivered by other processes
    Web,
    /// Delivery
    Worker,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn serves(self) -> bool {
        self != Self::Worker
    }

    pub fn delivers(self) -> bool {
        self != Self::Web
    }
}

/// Limit per second, or `None` for unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub Option<NonZeroU32>);

fn rate(text: &str) -> Result<Rate, String> {
    if text == "off" {
        return Ok(Rate(None));
    }
    let number = text.parse::<NonZeroU32>().ok();
    number
        .filter(|number| number.get() <= 1_000_000)
        .map(|number| Rate(Some(number)))
        .ok_or_else(|| "use 1 to 1000000, or off".to_owned())
}

const KIB: usize = 1024;

fn event_size(text: &str) -> Result<usize, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    };
    let unit = match unit {
        "" => Some(1),
        "KiB" => Some(KIB),
        "MiB" => Some(KIB * KIB),
        _ => None,
    };
    let size = number
        .parse()
        .ok()
        .zip(unit)
        .and_then(|(n, unit)| unit.checked_mul(n));
    size.filter(|size| (KIB..=KIB * KIB).contains(size))
        .ok_or_else(|| "use a size such as 256KiB, from 1KiB to 1MiB".to_owned())
}

/// Networks, parsed from one comma-separated value.
pub type Networks = std::sync::Arc<[IpNet]>;

/// Address of the metrics listener, or `None` for off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsListen(pub Option<SocketAddr>);

fn metrics_listen(text: &str) -> Result<MetricsListen, String> {
    if text == "off" {
        return Ok(MetricsListen(None));
    }
    let address = text
        .parse()
        .map_err(|_| "use an address such as 127.0.0.1:9464, or off".to_owned())?;
    Ok(MetricsListen(Some(address)))
}

fn networks(text: &str) -> Result<Networks, String> {
    text.split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| {
            let network = text.parse();
            // A single address.
            network.or_else(|_| text.parse().map(IpAddr::into)).map_err(|_| {
                format!("{text:?} is not a network: use CIDR notation such as 10.0.0.0/8, or an address")
            })
        })
        .collect()
}

fn delivery_timeout(text: &str) -> Result<Duration, String> {
    let timeout = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let bounds = Duration::from_millis(100)..=Duration::from_secs(60);
    if bounds.contains(&timeout) {
        Ok(timeout)
    } else {
        Err("use 100ms to 60s".to_owned())
    }
}

fn retention(text: &str) -> Result<Duration, String> {
    let keep = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if keep >= Duration::from_secs(1) {
        Ok(keep)
    } else {
        Err("use a duration such as 30d, at least 1s".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_networks_and_names_invalid_ones() {
        assert_eq!(networks("10.0.0.0/8, ::1/128").unwrap().len(), 2);
        assert!(networks("").unwrap().is_empty());
        assert_eq!(
            networks("10.0.0.1,::1").unwrap(),
            networks("10.0.0.1/32,::1/128").unwrap()
        );
        assert!(
            networks("10.0.0.0/8,localhost")
                .unwrap_err()
                .contains("localhost")
        );
    }

    #[test]
    fn local_url_never_names_an_unspecified_address() {
        for (listen, expected) in [
            ("0.0.0.0:3000", "http://127.0.0.1:3000"),
            ("[::]:3001", "http://[::1]:3001"),
            ("10.0.0.1:3000", "http://10.0.0.1:3000"),
        ] {
            assert_eq!(local_url(listen.parse().unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn metrics_listener_is_an_address_or_off() {
        assert_eq!(metrics_listen("off"), Ok(MetricsListen(None)));
        assert!(metrics_listen("[::1]:0").unwrap().0.is_some());
        assert!(metrics_listen("9464").is_err());
    }

    #[test]
    fn retention_is_at_least_one_second() {
        assert_eq!(retention("30d"), Ok(Duration::from_secs(30 * 86_400)));
        assert!(retention("1ms").is_err());
        assert!(retention("forever").is_err());
    }

    #[test]
    fn parses_and_limits_rates_and_sizes() {
        assert_eq!(rate("off"), Ok(Rate(None)));
        assert_eq!(rate("5"), Ok(Rate(NonZeroU32::new(5))));
        for bad in ["0", "-1", "many", "", "1000001"] {
            assert!(rate(bad).is_err(), "{bad:?}");
        }
        assert_eq!(event_size("256KiB"), Ok(262_144));
        assert_eq!(event_size("1MiB"), Ok(1_048_576));
        assert_eq!(event_size("2000"), Ok(2_000));
        for bad in [
            "2MiB",
            "1",
            "KiB",
            "256 KiB",
            "1GiB",
            "99999999999999999999",
            "99999999999999999MiB",
        ] {
            assert!(event_size(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn delivery_timeout_is_at_most_one_minute() {
        assert_eq!(delivery_timeout("15s"), Ok(Duration::from_secs(15)));
        assert!(delivery_timeout("2m").is_err());
        assert!(delivery_timeout("soon").is_err());
    }
}
