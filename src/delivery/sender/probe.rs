//! One exchange in slow motion: each step on its own connection, with its time, for those who test a receiver.
//!
//! The same guard, the same trust, the same deadline and the same signed bytes as a delivery; only the connection is
//! made by hand, because an HTTP client does not tell how long its parts took.

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

use super::{Exchange, Interrupted, Sender, answer, failure};
use crate::{
    delivery::{
        fence::{FencedBody, Permit},
        gate::Pass,
    },
    domain::{AttemptDetail, EndpointUrl, FailureReason, Timestamp},
};

/// An exchange with all that was seen of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub exchange: Exchange,
    pub timings: Timings,
    /// The receiver's, if it speaks TLS and was trusted.
    pub certificate: Option<Certificate>,
}

/// How long each step took; none for a step that was not reached, or not needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// Until the host's addresses were known.
    pub dns: Option<Duration>,
    /// From there until TCP was up.
    pub connect: Option<Duration>,
    /// From there until TLS was up.
    pub tls: Option<Duration>,
    /// From there until the answer's headers had come.
    pub first_byte: Option<Duration>,
    /// All of it, with the answer's body.
    pub total: Duration,
}

/// What a receiver's certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// For whom it is, the first few.
    pub names: Vec<String>,
    pub issuer: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// `TLSv1.3`
    pub protocol: String,
}

/// How many names of a certificate are kept: some have thousands.
const NAMES_KEPT: usize = 8;

/// It speaks HTTP/1.1 only, whose steps can be told apart.
pub(super) fn connector(mut config: ClientConfig) -> TlsConnector {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsConnector::from(Arc::new(config))
}

impl Sender {
    /// Like [`Sender::send`], on a connection of its own, with the duration of each step.
    ///
    /// # Errors
    ///
    /// As of [`Sender::send`].
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
            probe = self.measure(&pass.target.url, permit, headers, body, now) => probe,
        }
    }

    async fn measure(
        &self,
        url: &EndpointUrl,
        permit: Permit,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
    ) -> Result<Probe, Interrupted> {
        let started = Instant::now();
        let mut seen = Seen::default();
        let deadline = started + self.timeout;
        let steps = self.steps(url, headers, body, now, permit, deadline, &mut seen);
        let exchange = match timeout_at(deadline, steps).await {
            Ok(Ok(exchange)) => exchange,
            Ok(Err(Stop::Fenced)) => return Err(Interrupted::Fenced),
            Ok(Err(Stop::Failed(reason, detail))) => Exchange::failed(reason, detail),
            Err(_) => Exchange::failed(FailureReason::Timeout, failure::too_late(self.timeout)),
        };
        Ok(Probe {
            exchange,
            timings: Timings {
                total: started.elapsed(),
                ..seen.timings
            },
            certificate: seen.certificate,
        })
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "those of a delivery, and what is to be seen of it"
    )]
    async fn steps(
        &self,
        url: &EndpointUrl,
        headers: HeaderMap,
        body: Bytes,
        now: Timestamp,
        permit: Permit,
        deadline: Instant,
        seen: &mut Seen,
    ) -> Result<Exchange, Stop> {
        if !permit.is_valid() {
            return Err(Stop::Fenced);
        }
        let (host, port) = address_of(url);
        let since = Instant::now();
        let addresses = self.guard.resolve(host.clone(), port).await;
        let addresses = addresses.map_err(|refusal| failure::explain_refusal(&refusal))?;
        // A written address needs no look-up.
        seen.timings.dns = matches!(host, Host::Domain(_)).then(|| since.elapsed());

        let since = Instant::now();
        let tcp = connect(&addresses, deadline).await;
        let tcp = tcp.map_err(|error| failure::explain_io(&error, url))?;
        // A small request must not wait for its own acknowledgement; without the option it only takes longer.
        let _ = tcp.set_nodelay(true);
        seen.timings.connect = Some(since.elapsed());

        let request = request(url, headers, FencedBody::new(body, permit))?;
        let read = |response, since: Instant| async move {
            answer::read(response, deadline, || now.plus(since.elapsed())).await
        };
        if !url.is_https() {
            let since = Instant::now();
            let (response, _connection) = ask(tcp, request).await?;
            seen.timings.first_byte = Some(since.elapsed());
            return Ok(read(response, since).await);
        }
        let since = Instant::now();
        let tls = self.tls.connect(server_name(&host)?, tcp).await;
        let tls = tls.map_err(|error| failure::explain_io(&error, url))?;
        seen.timings.tls = Some(since.elapsed());
        seen.certificate = certificate_of(&tls);
        let since = Instant::now();
        let (response, _connection) = ask(tls, request).await?;
        seen.timings.first_byte = Some(since.elapsed());
        Ok(read(response, since).await)
    }
}

/// To the first address that takes it. One that does not answer leaves time for those after it, as it does for a
/// delivery.
async fn connect(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut failure = io::ErrorKind::AddrNotAvailable.into();
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / left;
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => failure = error,
            // The last one has all that is left: that the deadline has passed, the caller says.
            Err(_) if left == 1 => std::future::pending().await,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failure)
}

/// What is known so far, also if the rest never comes.
#[derive(Default)]
struct Seen {
    timings: Timings,
    certificate: Option<Certificate>,
}

/// Why there is no answer.
enum Stop {
    Fenced,
    Failed(FailureReason, AttemptDetail),
}

impl From<(FailureReason, AttemptDetail)> for Stop {
    fn from((reason, detail): (FailureReason, AttemptDetail)) -> Self {
        Self::Failed(reason, detail)
    }
}

fn address_of(url: &EndpointUrl) -> (Host<&str>, u16) {
    let url = url.as_url();
    // An endpoint's URL has both; this one would not resolve.
    let host = url.host().unwrap_or(Host::Domain(""));
    (host, url.port_or_known_default().unwrap_or_default())
}

fn server_name(host: &Host<&str>) -> Result<ServerName<'static>, Stop> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from((*name).to_owned()).ok(),
        Host::Ipv4(ip) => Some(ServerName::from(std::net::IpAddr::from(*ip))),
        Host::Ipv6(ip) => Some(ServerName::from(std::net::IpAddr::from(*ip))),
    };
    let unfit = || {
        let detail = "The host is no name that a certificate could have".to_owned();
        Stop::Failed(FailureReason::Tls, detail.into())
    };
    name.ok_or_else(unfit)
}

fn request(url: &EndpointUrl, mut headers: HeaderMap, body: FencedBody) -> Result<Request<FencedBody>, Stop> {
    let unfit = || {
        let detail = "The URL cannot be written as an HTTP request".to_owned();
        Stop::Failed(FailureReason::Protocol, detail.into())
    };
    let url = url.as_url();
    let host = &url[Position::BeforeHost..Position::AfterPort];
    headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| unfit())?);
    let path = &url[Position::BeforePath..Position::AfterQuery];
    let mut request = Request::post(path).body(body).map_err(|_| unfit())?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Asks over this connection, which lives as long as what is answered beside the response.
async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<FencedBody>,
) -> Result<(reqwest::Response, AbortOnDropHandle<()>), Stop> {
    let explain = |error: hyper::Error| {
        if failure::is_fenced(&error) {
            Stop::Fenced
        } else {
            failure::explain_exchange(&error).into()
        }
    };
    let mut builder = http1::Builder::new();
    builder.ignore_invalid_headers_in_responses(true);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(explain)?;
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        // How it ends, the response tells.
        let _ = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(explain)?;
    let response = response.map(|body| reqwest::Body::wrap(body.map_err(io::Error::other)));
    Ok((response.into(), connection))
}

fn certificate_of(tls: &TlsStream<TcpStream>) -> Option<Certificate> {
    let (_, session) = tls.get_ref();
    let der = session.peer_certificates()?.first()?;
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    let moment =
        |at: x509_parser::time::ASN1Time| Timestamp::from_millis(at.timestamp().saturating_mul(1_000));
    Some(Certificate {
        names: names.take(NAMES_KEPT).map(readable).collect(),
        issuer: certificate.issuer().to_string(),
        not_before: moment(certificate.validity().not_before),
        not_after: moment(certificate.validity().not_after),
        protocol: session
            .protocol_version()
            .and_then(|version| version.as_str())
            .unwrap_or("TLS")
            .replace('_', "."),
    })
}

fn readable(name: &x509_parser::extensions::GeneralName<'_>) -> String {
    use x509_parser::extensions::GeneralName;

    match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(ip), _) => std::net::Ipv4Addr::from(ip).to_string(),
            (_, Ok(ip)) => std::net::Ipv6Addr::from(ip).to_string(),
            _ => "an address".to_owned(),
        },
        other => other.to_string(),
    }
}
