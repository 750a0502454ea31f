//! HTTP clients. No other module builds one.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{ClientBuilder, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

use tower::util::MapFutureLayer;

use super::progress;
use crate::{delivery::guard::Guard, domain::delivery_settings::TimeoutSeconds};

/// Value of the `user-agent` header.
pub const USER_AGENT: &str = concat!("Caleida-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Maximum idle time of a pooled connection. Common servers close idle connections after 5 s, and a request that is
/// sent on a closing connection fails and has to be sent again. The number of idle connections needs no limit, because
/// there are never more of them than there were attempts in flight.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Interval between HTTP/2 pings. Without them, all exchanges on a dead connection would fail until the operating
/// system closes it after a quarter of an hour.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Flow-control windows of HTTP/2: the data that a receiver may send before it is read. They are larger than the kept
/// part of a response, and small enough to bound memory.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// Maximum number of header lines of a response. hyper accepts 100 by default, and a response with more is valid.
pub(super) const MAX_HEADERS: usize = 1_000;

/// Timeout of an export to a trace collector.
#[cfg(feature = "otel")]
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Error while a client is built.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("invalid trusted certificate authority: {0}")]
    Root(rustls::Error),
    #[error("cannot set up the HTTP client: {0}")]
    Setup(#[from] reqwest::Error),
}

/// The clients for deliveries. They connect only to addresses that the guard permits, follow no redirects, and ignore
/// proxy settings of the environment, because a proxy would connect without the guard.
pub(super) struct Clients {
    guard: Arc<Guard>,
    tls: ClientConfig,
    timeout: Duration,
    default: Pair,
    /// Clients with other timeouts, in whole seconds from 1, created when a webhook needs them.
    others: [OnceLock<Option<Pair>>; TimeoutSeconds::MAX.as_secs() as usize],
}

/// Two clients with the same timeout.
pub(super) struct Pair {
    /// Keeps connections open for further requests.
    pub(super) pooled: reqwest::Client,
    /// Opens a connection for each request. A healthy receiver does not retire it before it has responded.
    pub(super) unpooled: reqwest::Client,
}

impl Clients {
    pub(super) fn new(guard: Arc<Guard>, timeout: Duration, tls: ClientConfig) -> Result<Self, ClientError> {
        Ok(Self {
            default: Pair::new(&guard, timeout, &tls)?,
            others: [const { OnceLock::new() }; _],
            guard,
            tls,
            timeout,
        })
    }

    /// Returns clients for exchanges with this timeout.
    pub(super) fn with_timeout(&self, timeout: Duration) -> &Pair {
        if timeout == self.timeout {
            return &self.default;
        }
        let index = usize::try_from(timeout.as_secs())
            .unwrap_or(usize::MAX)
            .wrapping_sub(1);
        let other = self.others.get(index).and_then(|cell| {
            cell.get_or_init(|| Pair::new(&self.guard, timeout, &self.tls).ok())
                .as_ref()
        });
        other.unwrap_or(&self.default)
    }
}

impl Pair {
    fn new(guard: &Arc<Guard>, timeout: Duration, tls: &ClientConfig) -> Result<Self, ClientError> {
        Ok(Self {
            pooled: guarded(guard, timeout, tls).build()?,
            unpooled: guarded(guard, timeout, tls).pool_max_idle_per_host(0).build()?,
        })
    }
}

fn guarded(guard: &Arc<Guard>, timeout: Duration, tls: &ClientConfig) -> ClientBuilder {
    builder()
        .tls_backend_preconfigured(tls.clone())
        .connector_layer(MapFutureLayer::new(progress::record_opening))
        .dns_resolver(Arc::clone(guard))
        // The timeout is divided among the addresses of a host, so that an unreachable one leaves time for the next. It
        // also ends connection attempts that no request waits for any more.
        .connect_timeout(timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http2_keep_alive_interval(PING_INTERVAL)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        // An invalid header line does not invalidate the status.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_max_headers(MAX_HEADERS)
}

/// Builds a client without the guard for the command line, where users choose the URLs.
pub fn plain_client() -> Result<reqwest::Client, ClientError> {
    Ok(builder().tls_backend_preconfigured(tls(Vec::new())?).build()?)
}

/// Builds a blocking client for callers without an async runtime.
#[cfg(feature = "otel")]
pub fn blocking_client() -> Result<reqwest::blocking::Client, ClientError> {
    let builder = reqwest::blocking::Client::builder().user_agent(USER_AGENT);
    let builder = builder.redirect(redirect::Policy::none()).timeout(EXPORT_TIMEOUT);
    Ok(builder.tls_backend_preconfigured(tls(Vec::new())?).build()?)
}

#[expect(clippy::disallowed_methods, reason = "all clients are built here")]
fn builder() -> ClientBuilder {
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .gzip(true)
        .brotli(true)
        .deflate(true)
}

/// Builds the TLS configuration: TLS 1.2 and 1.3 with ring, the system's certificate authorities and `extra_roots`, and
/// HTTP/2 where the server supports it.
pub(super) fn tls(extra_roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    // Old systems include certificates that cannot be parsed. They are skipped.
    roots.add_parsable_certificates(native.certs);
    if roots.is_empty() {
        tracing::warn!(
            errors = ?native.errors,
            "no trusted certificate authorities, all https receivers will fail: install ca-certificates or set SSL_CERT_FILE"
        );
    }
    for root in extra_roots {
        roots.add(root).map_err(ClientError::Root)?;
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
