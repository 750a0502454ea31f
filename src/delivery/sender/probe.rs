//! Sends a request on a new connection and measures each step, for tests of a receiver.
//!
//! A probe uses the same guard, TLS configuration, timeout and signed bytes as a delivery. Only the connection is made
//! by hand, because the HTTP client does not report the duration of its steps.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use reqwest::header::{HOST, HeaderMap, HeaderValue};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Position};
use x509_parser::{certificate::X509Certificate, prelude::FromDer as _};

use super::{Exchange, Interrupted, Sender, client, failure, response};
use crate::{
    delivery::{
        fence::{FencedBody, Permit},
        gate::{Pass, Target},
    },
    domain::{AttemptDetail, EndpointUrl, FailureReason, Timestamp},
};

/// Exchange with timings and the receiver's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub exchange: Exchange,
    pub timings: Timings,
    /// Certificate of the receiver, if it uses TLS and is trusted.
    pub certificate: Option<Certificate>,
}

/// Duration of each step. `None` for steps that were not reached or not needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// DNS lookup.
    pub dns: Option<Duration>,
    /// TCP connect.
    pub connect: Option<Duration>,
    /// TLS handshake.
    pub tls: Option<Duration>,
    /// From the established connection to the response headers.
    pub first_byte: Option<Duration>,
    /// Whole exchange, including the response body.
    pub total: Duration,
}

/// Summary of a receiver's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// First subject alternative names.
    pub names: Vec<String>,
    pub issuer: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// Protocol version, such as `TLSv1.3`.
    pub protocol: String,
}

/// Maximum number of names of a certificate that are kept. Some certificates have thousands.
const MAX_NAMES: usize = 8;

/// Creates a TLS connector for probes, which use only HTTP/1.1.
pub(super) fn connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

impl Sender {
    /// Sends like [`Sender::send`], on a new connection, and measures each step.
    ///
    /// # Errors
    ///
    /// The errors of [`Sender::send`].
    pub async fn probe(
        &self,
        pass: &Pass,
        permit: Permit,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Probe, Interrupted> {
        tokio::select! {
            biased;
            () = pass.cancelled() => Err(Interrupted::Cancelled),
            result = self.measure(&pass.target, permit, headers, body, now) => result,
        }
    }

    async fn measure(
        &self,
        target: &Target,
        permit: Permit,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Probe, Interrupted> {
        let started = Instant::now();
        let mut progress = Progress::default();
        let timeout = self.timeout_of(target);
        let deadline = started + timeout;
        let exchange = self.run_steps(&target.url, headers, body, now, permit, deadline, &mut progress);
        let exchange = match timeout_at(deadline, exchange).await {
            Ok(Ok(exchange)) => exchange,
            Ok(Err(ProbeError::Fenced)) => return Err(Interrupted::Fenced),
            Ok(Err(ProbeError::Failed(reason, detail))) => Exchange::failed(reason, detail),
            Err(_) => Exchange::failed(FailureReason::Timeout, failure::timeout_detail(timeout)),
        };
        Ok(Probe {
            exchange: exchange.hide(&target.hidden),
            timings: Timings {
                total: started.elapsed(),
                ..progress.timings
            },
            certificate: progress.certificate,
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of a delivery, and the progress"
    )]
    async fn run_steps(
        &self,
        url: &EndpointUrl,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
        permit: Permit,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<Exchange, ProbeError> {
        if !permit.is_valid() {
            return Err(ProbeError::Fenced);
        }
        let (host, port) = host_and_port(url);
        let started = Instant::now();
        let addresses = self.guard.resolve(host.clone(), port).await;
        let addresses = addresses.map_err(|refusal| failure::explain_refusal(&refusal))?;
        // An IP address needs no lookup.
        progress.timings.dns = matches!(host, Host::Domain(_)).then(|| started.elapsed());

        let started = Instant::now();
        let tcp = connect(&addresses, deadline).await;
        let tcp = tcp.map_err(|error| failure::explain_io(&error, url))?;
        // Avoids a delay of small requests. A failure only makes the request slower.
        let _ = tcp.set_nodelay(true);
        progress.timings.connect = Some(started.elapsed());

        let request = request(url, headers, FencedBody::new(body, permit))?;
        let read = |response, sent_at: Instant| async move {
            response::read(response, deadline, || now.plus(sent_at.elapsed())).await
        };
        if !url.is_https() {
            let started = Instant::now();
            let (response, _connection) = send_request(tcp, request).await?;
            progress.timings.first_byte = Some(started.elapsed());
            return Ok(read(response, started).await);
        }
        let started = Instant::now();
        let tls = self.tls.connect(server_name(&host)?, tcp).await;
        let tls = tls.map_err(|error| failure::explain_io(&error, url))?;
        progress.timings.tls = Some(started.elapsed());
        progress.certificate = certificate(&tls);
        let started = Instant::now();
        let (response, _connection) = send_request(tls, request).await?;
        progress.timings.first_byte = Some(started.elapsed());
        Ok(read(response, started).await)
    }
}

/// Connects to the first reachable address. The remaining time is divided among the remaining addresses, so that an
/// unreachable one leaves time for the next.
async fn connect(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut last_error = io::ErrorKind::AddrNotAvailable.into();
    for (index, address) in addresses.iter().enumerate() {
        let remaining = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / remaining;
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => last_error = error,
            // The last address has all the remaining time, so the caller's timeout ends the probe.
            Err(_) if remaining == 1 => std::future::pending().await,
            Err(_) => last_error = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last_error)
}

/// Results of the finished steps, which are kept if a later step fails.
#[derive(Default)]
struct Progress {
    timings: Timings,
    certificate: Option<Certificate>,
}

/// Reason a probe got no response.
enum ProbeError {
    Fenced,
    Failed(FailureReason, AttemptDetail),
}

impl From<(FailureReason, AttemptDetail)> for ProbeError {
    fn from((reason, detail): (FailureReason, AttemptDetail)) -> Self {
        Self::Failed(reason, detail)
    }
}

fn host_and_port(url: &EndpointUrl) -> (Host<&str>, u16) {
    let url = url.full();
    // The URL of an endpoint always has a host. The fallback would not resolve.
    let host = url.host().unwrap_or(Host::Domain(""));
    (host, url.port_or_known_default().unwrap_or_default())
}

fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, ProbeError> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).ok(),
        Host::Ipv4(ip) => Some(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Ipv6(ip) => Some(ServerName::from(std::net::IpAddr::from(*ip))),
    };
    let invalid = || {
        let detail = "The host name is not valid in a certificate".to_owned();
        ProbeError::Failed(FailureReason::Tls, detail.into())
    };
    name.ok_or_else(invalid)
}

fn request(
    url: &EndpointUrl,
    mut headers: HeaderMap,
    body: FencedBody,
) -> Result<Request<FencedBody>, ProbeError> {
    let invalid = || {
        let detail = "The URL cannot be used in an HTTP request".to_owned();
        ProbeError::Failed(FailureReason::Protocol, detail.into())
    };
    let url = url.full();
    let host = &url[Position::BeforeHost..Position::AfterPort];
    headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| invalid())?);
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let mut request = Request::post(path).body(body).map_err(|_| invalid())?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Sends a request on a stream. The connection is closed when the returned handle is dropped.
async fn send_request(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<FencedBody>,
) -> Result<(reqwest::Response, AbortOnDropHandle<()>), ProbeError> {
    let explain = |error: hyper::Error| {
        if failure::is_fenced(&error) {
            ProbeError::Fenced
        } else {
            failure::explain_exchange(&error).into()
        }
    };
    let mut builder = http1::Builder::new();
    builder
        .ignore_invalid_headers_in_responses(true)
        .max_headers(client::MAX_HEADERS);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(explain)?;
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        // An error is reported by the response.
        let _ = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(explain)?;
    let response = response.map(|body| reqwest::Body::wrap(body.map_err(io::Error::other)));
    Ok((response.into(), connection))
}

fn certificate(tls: &TlsStream<TcpStream>) -> Option<Certificate> {
    let (_, session) = tls.get_ref();
    let der = session.peer_certificates()?.first()?;
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    let timestamp =
        |at: x509_parser::time::ASN1Time| Timestamp::from_millis(at.timestamp().saturating_mul(1_000));
    Some(Certificate {
        names: names.take(MAX_NAMES).map(to_text).collect(),
        issuer: certificate.issuer().to_string(),
        not_before: timestamp(certificate.validity().not_before),
        not_after: timestamp(certificate.validity().not_after),
        protocol: session
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or("TLS")
            .replace('_', "."),
    })
}

/// Formats a subject alternative name.
fn to_text(name: &x509_parser::extensions::GeneralName<'_>) -> String {
    use x509_parser::extensions::GeneralName;

    match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(ip), _) => std::net::Ipv4Addr::from(ip).to_string(),
            (_, Ok(ip)) => std::net::Ipv6Addr::from(ip).to_string(),
            _ => "invalid IP address".to_owned(),
        },
        other => other.to_string(),
    }
}
