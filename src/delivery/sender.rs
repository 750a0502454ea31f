//! Sends one HTTP request to a receiver. Receivers may be slow, broken or hostile, so every failure becomes an
//! [`Exchange`].

mod client;
mod failure;
mod probe;
mod progress;
mod redaction;
mod response;
mod retired;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

#[cfg(feature = "otel")]
pub use self::client::blocking_client;
use self::{
    client::Clients,
    retired::{Retired, Unanswered},
};
pub use self::{
    client::{ClientError, USER_AGENT, plain_client},
    probe::{Certificate, Probe, Timings},
    response::{MAX_HEADER_VALUE, MAX_RESPONSE_BODY, MAX_RESPONSE_HEADERS, retry_after},
};
use super::{
    fence::{FencedBody, Permit},
    gate::{Pass, Target},
    guard::Guard,
};
use crate::domain::{AttemptDetail, FailureReason, Outcome, Timestamp, delivery_settings::TimeoutSeconds};

/// Maximum number of times that a request is sent again because the receiver retired its connection.
const MAX_RESENDS: u32 = 3;

/// Part of the timeout for which a request waits for an open connection before it gets one of its own.
const PATIENCE_DIVISOR: u32 = 4;

/// Sends requests to receivers. Connections are pooled.
pub struct Sender {
    guard: Arc<Guard>,
    clients: Clients,
    /// Used by probes, which connect on their own to time each step.
    tls: TlsConnector,
    timeout: Duration,
}

/// Result of a request to a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub outcome: Outcome,
    /// Description of the failure. Set for a response only if its body could not be read.
    pub detail: Option<AttemptDetail>,
    pub response_headers: Vec<(String, String)>,
    /// The first [`MAX_RESPONSE_BODY`] bytes, decompressed.
    pub response_body: Vec<u8>,
    /// Whether the body is incomplete.
    pub response_truncated: bool,
}

/// Reason an exchange ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// The webhook was deleted. The receiver may have received the request.
    Cancelled,
    /// This process may no longer send. The receiver got no complete request.
    Fenced,
}

impl Sender {
    /// Creates a sender. `timeout` covers the whole exchange, unless the webhook has its own. `extra_roots` are trusted
    /// in addition to the system's certificate authorities.
    pub fn new(
        guard: Arc<Guard>,
        timeout: Duration,
        extra_roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, ClientError> {
        let tls = client::tls(extra_roots)?;
        Ok(Self {
            tls: probe::connector(tls.clone()),
            clients: Clients::new(Arc::clone(&guard), timeout, tls)?,
            guard,
            timeout,
        })
    }

    /// Posts a body and reads the response, all before one deadline. `now` is the current time, for `Retry-After`.
    ///
    /// | event | outcome |
    /// |---|---|
    /// | The guard blocks the address. Nothing is sent. | blocked |
    /// | The host name does not resolve. | dns |
    /// | The connection fails. | connect |
    /// | The TLS handshake fails or the certificate is not trusted. | tls |
    /// | No response headers arrive before the deadline. | timeout |
    /// | The response is not HTTP, or the connection is lost before the headers. | protocol |
    /// | The response headers arrive, even if the body fails. | answered |
    ///
    /// A request whose connection the receiver has retired is sent again at once, before the same deadline: see
    /// [`Retired`]. The last time, it gets a connection of its own, and also if no open connection takes it.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if the gate cancels the pass, or if the permit is no longer valid.
    pub async fn send(
        &self,
        pass: &Pass,
        permit: Permit,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Exchange, Interrupted> {
        tokio::select! {
            biased;
            () = pass.cancelled() => Err(Interrupted::Cancelled),
            result = self.exchange(&pass.target, permit, headers, body, now) => {
                Ok(result?.hide(&pass.target.hidden))
            }
        }
    }

    /// Returns the timeout of an exchange.
    fn timeout_of(&self, target: &Target) -> Duration {
        target.timeout.map_or(self.timeout, TimeoutSeconds::duration)
    }

    async fn exchange(
        &self,
        target: &Target,
        permit: Permit,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Exchange, Interrupted> {
        let (url, timeout) = (&target.url, self.timeout_of(target));
        // The client resolves host names with the guard, but connects to IP addresses in the URL without a check.
        if let Err(refusal) = self.guard.check_ip_literal(url) {
            return Ok(Exchange::failed(FailureReason::Blocked, refusal.to_string()));
        }
        let started = Instant::now();
        let deadline = started + timeout;
        let mut patience = started + timeout / PATIENCE_DIVISOR;
        let clients = self.clients.with_timeout(timeout);
        let mut client = &clients.pooled;
        let mut resends = 0;
        loop {
            if !permit.is_valid() {
                return Err(Interrupted::Fenced);
            }
            let request = client.post(url.full().clone()).headers(headers.clone());
            let fenced = FencedBody::new(body.clone(), permit.clone());
            let unanswered = match retired::send(request, fenced, patience, deadline).await {
                Ok(response) => {
                    return Ok(response::read(response, deadline, || now.plus(started.elapsed())).await);
                }
                Err(unanswered) => unanswered,
            };
            match unanswered {
                Unanswered::Failed { error, .. } if failure::is_fenced(&error) => {
                    return Err(Interrupted::Fenced);
                }
                Unanswered::Failed {
                    retired: Some(retired),
                    ..
                } if resends < MAX_RESENDS => {
                    resends += 1;
                    tracing::debug!(?retired, resends, "receiver retired a connection, sending again");
                    if retired == Retired::Closed || resends == MAX_RESENDS {
                        client = &clients.unpooled;
                    }
                }
                Unanswered::Failed { error, .. } => {
                    let (reason, detail) = failure::explain(&error, url, timeout);
                    return Ok(Exchange::failed(reason, detail));
                }
                Unanswered::Waiting if patience < deadline => {
                    tracing::debug!("no open connection took the request, opening another");
                    client = &clients.unpooled;
                    patience = deadline;
                }
                Unanswered::Waiting | Unanswered::TimedOut => {
                    let detail = failure::timeout_detail(timeout);
                    return Ok(Exchange::failed(FailureReason::Timeout, detail));
                }
            }
        }
    }
}

impl Exchange {
    /// Creates the result of a request without a response.
    pub fn failed(reason: FailureReason, detail: impl Into<AttemptDetail>) -> Self {
        Self {
            outcome: Outcome::Failed(reason),
            detail: Some(detail.into()),
            response_headers: Vec::new(),
            response_body: Vec::new(),
            response_truncated: false,
        }
    }
}
