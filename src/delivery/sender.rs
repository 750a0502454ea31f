//! One HTTP exchange with a receiver, which may be slow, broken or hostile: whatever it does ends as an [`Exchange`].

mod answer;
mod client;
mod failure;
mod probe;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

#[cfg(feature = "otel")]
pub use self::client::blocking_client;
pub use self::{
    answer::{BODY_KEPT, HEADER_VALUE_KEPT, HEADERS_KEPT, retry_after},
    client::{ClientError, USER_AGENT, plain_client},
    probe::{Certificate, Probe, Timings},
};
use super::{
    fence::{FencedBody, Permit},
    gate::Pass,
    guard::Guard,
};
use crate::domain::{AttemptDetail, EndpointUrl, FailureReason, Outcome, Timestamp};

/// Sends requests to receivers, and nowhere else. Connections are kept and shared.
pub struct Sender {
    guard: Arc<Guard>,
    client: reqwest::Client,
    /// For what connects by itself, to see each step.
    tls: TlsConnector,
    timeout: Duration,
}

/// All that is kept of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    pub outcome: Outcome,
    /// What exactly went wrong. An answer has one if its body was broken.
    pub detail: Option<AttemptDetail>,
    pub response_headers: Vec<(String, String)>,
    /// The first [`BODY_KEPT`] bytes, decompressed.
    pub response_body: Vec<u8>,
    /// Whether there is, or was to be, more of the body.
    pub response_truncated: bool,
}

/// Why an exchange ended early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// The webhook was deleted. The receiver may have read the request.
    Cancelled,
    /// This process may no longer send. The receiver got no complete request.
    Fenced,
}

impl Sender {
    /// `timeout` is for the whole exchange; `extra_roots` are trusted besides the system's certificate authorities.
    pub fn new(
        guard: Arc<Guard>,
        timeout: Duration,
        extra_roots: Vec<CertificateDer<'static>>,
    ) -> Result<Self, ClientError> {
        let tls = client::tls(extra_roots)?;
        let client = client::guarded(&guard, timeout, tls.clone())?;
        Ok(Self {
            guard,
            client,
            tls: probe::connector(tls),
            timeout,
        })
    }

    /// Posts a body and reads the answer, all before one deadline. `now` is the present moment, for `Retry-After`.
    ///
    /// | what happens | outcome |
    /// |---|---|
    /// | the guard refuses the address | blocked; nothing was sent |
    /// | the name does not resolve | dns |
    /// | no connection | connect |
    /// | no trust, or no TLS | tls |
    /// | no header of an answer before the deadline | timeout |
    /// | no HTTP, or a connection that breaks before the headers | protocol |
    /// | the headers of an answer | answered, whatever becomes of the body |
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
            sent = self.exchange(&pass.target.url, permit, headers, body, now) => sent,
        }
    }

    async fn exchange(
        &self,
        url: &EndpointUrl,
        permit: Permit,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Exchange, Interrupted> {
        if !permit.is_valid() {
            return Err(Interrupted::Fenced);
        }
        // The client resolves names with the guard, but connects to addresses that stand in the URL without asking.
        if let Err(refusal) = self.guard.judge_literal(url) {
            return Ok(Exchange::failed(FailureReason::Blocked, refusal.to_string()));
        }
        let started = Instant::now();
        let deadline = started + self.timeout;
        let body = reqwest::Body::wrap(FencedBody::new(body, permit));
        let request = self.client.post(url.as_url().clone()).headers(headers).body(body);
        Ok(match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => answer::read(response, deadline, || now.plus(started.elapsed())).await,
            Ok(Err(error)) if failure::is_fenced(&error) => return Err(Interrupted::Fenced),
            Ok(Err(error)) => {
                let (reason, detail) = failure::explain(&error, url, self.timeout);
                Exchange::failed(reason, detail)
            }
            Err(_) => Exchange::failed(FailureReason::Timeout, failure::too_late(self.timeout)),
        })
    }
}

impl Exchange {
    /// One without an answer.
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
