//! Converts the error chain of a failed request to a reason and a detail.

use std::{error::Error, io, iter, time::Duration};

use hyper_util::client::legacy::{self, connect::Connected};
use rustls::{CertificateError, PeerIncompatible};

use crate::{
    delivery::{fence::Fenced, guard::Refusal},
    domain::{AttemptDetail, EndpointUrl, FailureReason, TlsProblem},
};

const CONNECTION_CLOSED: &str = "The receiver closed the connection before it responded";

/// Returns the reason and a detail. The detail contains no path or query of the URL, because they may contain secrets.
pub(super) fn explain(
    error: &reqwest::Error,
    url: &EndpointUrl,
    timeout: Duration,
) -> (FailureReason, AttemptDetail) {
    if let Some(refusal) = find::<Refusal>(error) {
        return explain_refusal(refusal);
    }
    if let Some(error) = find::<rustls::Error>(error) {
        return (FailureReason::Tls, explain_tls(error));
    }
    if error.is_timeout() {
        return (FailureReason::Timeout, timeout_detail(timeout).into());
    }
    let io = chain(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .last();
    if error.is_connect() {
        return explain_connect(io, url);
    }
    if error.is_builder() {
        let detail = "The URL cannot be used in an HTTP request".to_owned();
        return (FailureReason::Protocol, detail.into());
    }
    explain_exchange(error)
}

/// Explains an error on an established connection.
pub(super) fn explain_exchange(error: &(dyn Error + 'static)) -> (FailureReason, AttemptDetail) {
    // HTTP/2 keeps only the text of a TLS alert, such as that a client certificate is missing.
    let alert = chain(error).find_map(|error| {
        let text = error.to_string();
        let (_, alert) = text.split_once("received fatal alert: ")?;
        Some(alert.to_owned())
    });
    if let Some(alert) = alert {
        return (FailureReason::Tls, explain_alert(&alert).into());
    }
    let detail = match find::<hyper::Error>(error) {
        _ if is_refused_by_http2(error) => {
            "The receiver refused the request on each of its HTTP/2 connections"
        }
        _ if is_connection_lost(error) => CONNECTION_CLOSED,
        Some(error) if error.is_parse() => "The response is not HTTP",
        _ => "The receiver violated the HTTP protocol",
    };
    (FailureReason::Protocol, detail.to_owned().into())
}

/// Returns the connection of a request that failed after it got one.
pub(super) fn connection(error: &reqwest::Error) -> Option<&Connected> {
    find::<legacy::Error>(error)?.connect_info()
}

/// Returns whether a request got no connection, although none failed to open: not before the timeout, and not in the
/// handshake of HTTP/2, whose errors are those of hyper.
pub(super) fn is_dropped_by_pool(error: &reqwest::Error) -> bool {
    let has_no_connection = |error: &legacy::Error| error.connect_info().is_none();
    find(error).is_some_and(has_no_connection) && find::<hyper::Error>(error).is_none() && !error.is_timeout()
}

/// Returns whether the connection ended before the response.
pub(super) fn is_connection_lost(error: &(dyn Error + 'static)) -> bool {
    let mut io_errors = chain(error).filter_map(|error| error.downcast_ref::<io::Error>());
    io_errors.any(|io| is_connection_loss(io.kind()))
        || find::<hyper::Error>(error)
            .is_some_and(|error| error.is_incomplete_message() || error.is_closed() || error.is_canceled())
}

/// Returns whether the receiver stated that it did not process an HTTP/2 request: by `REFUSED_STREAM`, or by a `GOAWAY`
/// with a last stream id below that of the request. Requests up to that id do not get the error of the `GOAWAY`.
pub(super) fn is_refused_by_http2(error: &(dyn Error + 'static)) -> bool {
    find::<h2::Error>(error).is_some_and(|error| {
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (error.is_go_away() || refused)
    })
}

/// Explains why a host must not be called.
pub(super) fn explain_refusal(refusal: &Refusal) -> (FailureReason, AttemptDetail) {
    let reason = match refusal {
        Refusal::Blocked(_) => FailureReason::Blocked,
        Refusal::NotFound(_) | Refusal::LookupFailed(_) => FailureReason::Dns,
    };
    (reason, refusal.to_string().into())
}

/// Explains a failed connection or TLS handshake.
pub(super) fn explain_io(error: &io::Error, url: &EndpointUrl) -> (FailureReason, AttemptDetail) {
    match find::<rustls::Error>(error) {
        Some(error) => (FailureReason::Tls, explain_tls(error)),
        None => explain_connect(Some(error), url),
    }
}

/// Returns whether the fence stopped the request.
pub(super) fn is_fenced(error: &(dyn Error + 'static)) -> bool {
    find::<Fenced>(error).is_some()
}

/// Returns a text such as `No complete response within 15 s`.
pub(super) fn timeout_detail(timeout: Duration) -> String {
    if timeout.subsec_millis() == 0 {
        format!("No complete response within {} s", timeout.as_secs())
    } else {
        format!("No complete response within {} ms", timeout.as_millis())
    }
}

/// Returns whether reading a body failed because of the connection, and not because of decompression.
pub(super) fn is_connection_error(error: &reqwest::Error) -> bool {
    find::<hyper::Error>(error).is_some()
}

fn explain_connect(io: Option<&io::Error>, url: &EndpointUrl) -> (FailureReason, AttemptDetail) {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};

    let host = url.full().host_str().unwrap_or_default();
    let port = url.full().port_or_known_default().unwrap_or_default();
    let detail = match io {
        Some(io) if io.kind() == ConnectionRefused => format!("Connection refused by {host}:{port}"),
        Some(io) if matches!(io.kind(), HostUnreachable | NetworkUnreachable) => {
            format!("No route to {host}:{port}")
        }
        // The TCP connection is established, so the TLS handshake failed.
        Some(io) if is_connection_loss(io.kind()) && url.is_https() => {
            return (FailureReason::Tls, TlsProblem::ClosedDuringHandshake.into());
        }
        Some(io) => format!("Could not connect to {host}:{port}: {io}"),
        None => format!("Could not connect to {host}:{port}"),
    };
    (FailureReason::Connect, detail.into())
}

fn explain_tls(error: &rustls::Error) -> AttemptDetail {
    use rustls::Error as Tls;

    let tls_problem = match error {
        Tls::InvalidCertificate(problem) => explain_certificate(problem),
        Tls::NoCertificatesPresented => TlsProblem::NoCertificate,
        Tls::InvalidMessage(_) => TlsProblem::NoTls,
        Tls::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig) => {
            TlsProblem::OldVersion
        }
        Tls::PeerIncompatible(_) => TlsProblem::NothingInCommon,
        Tls::AlertReceived(alert) => {
            return explain_alert(&format!("{alert:?}")).into();
        }
        Tls::NoApplicationProtocol => TlsProblem::NoHttp,
        _ => TlsProblem::HandshakeFailed,
    };
    tls_problem.into()
}

fn explain_alert(alert: &str) -> String {
    match alert {
        "CertificateRequired" | "certificate_required" => {
            "The receiver requires a client certificate, which Caleida does not have".to_owned()
        }
        _ => format!("The receiver rejected the TLS handshake ({alert})"),
    }
}

fn explain_certificate(problem: &CertificateError) -> TlsProblem {
    use CertificateError as Bad;

    match problem {
        Bad::Expired | Bad::ExpiredContext { .. } => TlsProblem::CertificateExpired,
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => TlsProblem::CertificateNotYetValid,
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => TlsProblem::WrongName,
        Bad::UnknownIssuer => TlsProblem::UnknownIssuer,
        Bad::Revoked => TlsProblem::CertificateRevoked,
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => TlsProblem::NotForServers,
        Bad::BadEncoding => TlsProblem::UnreadableCertificate,
        Bad::BadSignature => TlsProblem::WrongSignature,
        Bad::UnsupportedSignatureAlgorithmContext { .. }
        | Bad::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => TlsProblem::UnsupportedSignature,
        Bad::Other(_) => TlsProblem::SelfSigned,
        _ => TlsProblem::UnacceptableCertificate,
    }
}

fn is_connection_loss(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};

    matches!(
        kind,
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected
    )
}

/// Returns the first error of this type in the chain.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// Iterates over an error and its causes, including errors wrapped in an `io::Error`, which are not its source.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_errors_inside_io_errors() {
        let inner = io::Error::other(rustls::Error::HandshakeNotComplete);
        let outer = io::Error::other(inner);
        assert_eq!(
            find::<rustls::Error>(&outer),
            Some(&rustls::Error::HandshakeNotComplete)
        );
    }

    #[test]
    fn timeouts_are_shown_in_their_own_unit() {
        assert_eq!(
            timeout_detail(Duration::from_secs(15)),
            "No complete response within 15 s"
        );
        assert_eq!(
            timeout_detail(Duration::from_millis(300)),
            "No complete response within 300 ms"
        );
    }
}
