//! The HTTP clients: the only place where any is built.

use std::{sync::Arc, time::Duration};

use reqwest::{ClientBuilder, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

use crate::delivery::guard::Guard;

/// What receivers see as `user-agent`.
pub const USER_AGENT: &str = concat!("Caleida-Webhooks/", env!("CARGO_PKG_VERSION"));

/// Common servers close an idle connection after 5 s. To give it up before they do is cheaper than to send into a
/// connection that is just being closed: that attempt would fail, and be repeated. How many may be idle needs no limit
/// of its own: there are never more of them than attempts were under way.
const IDLE: Duration = Duration::from_secs(4);

/// A connection with many exchanges on it that has gone dead would fail all of them, again and again, until the
/// operating system notices after a quarter of an hour. A ping finds out.
const PING_EVERY: Duration = Duration::from_secs(10);
const PING_PATIENCE: Duration = Duration::from_secs(5);

/// What a receiver may have sent before it is read. Far more than is kept, far less than would hurt.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// A collector of traces that does not answer for so long is not waited for.
#[cfg(feature = "otel")]
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("a certificate authority to be trusted is not usable: {0}")]
    Root(rustls::Error),
    #[error("the HTTP client could not be set up: {0}")]
    Setup(#[from] reqwest::Error),
}

/// The client for deliveries: it connects only where the guard permits, follows nothing, and obeys no proxy of the
/// environment, which would connect for it without asking the guard.
pub(super) fn guarded(
    guard: &Arc<Guard>,
    timeout: Duration,
    tls: ClientConfig,
) -> Result<reqwest::Client, ClientError> {
    let client = builder()
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::clone(guard))
        // Shared among a name's addresses, so that one that does not answer leaves time for the next. It also ends a
        // connection that nobody waits for any more.
        .connect_timeout(timeout)
        .pool_idle_timeout(IDLE)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_PATIENCE)
        .http2_initial_stream_window_size(STREAM_WINDOW)
        .http2_initial_connection_window_size(CONNECTION_WINDOW)
        // A line that is no header does not undo the status above it.
        .http1_ignore_invalid_headers_in_responses(true)
        .build()?;
    Ok(client)
}

/// An ordinary client, for the command line: it calls only what its user names.
pub fn plain_client() -> Result<reqwest::Client, ClientError> {
    Ok(builder().tls_backend_preconfigured(tls(Vec::new())?).build()?)
}

/// The same for who has no runtime.
#[cfg(feature = "otel")]
pub fn blocking_client() -> Result<reqwest::blocking::Client, ClientError> {
    let builder = reqwest::blocking::Client::builder().user_agent(USER_AGENT);
    let builder = builder.redirect(redirect::Policy::none()).timeout(EXPORT_TIMEOUT);
    Ok(builder.tls_backend_preconfigured(tls(Vec::new())?).build()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where clients are built, with the guard or with a reason"
)]
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

/// TLS 1.2 and 1.3 by ring, trusting the system's certificate authorities and `extra_roots`; HTTP/2 where it is offered.
pub(super) fn tls(extra_roots: Vec<CertificateDer<'static>>) -> Result<ClientConfig, ClientError> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    // Old systems carry certificates that no one can read any more; the others still count.
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
        .expect("ring knows the default versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
