//! Why there was no answer: from the client's chain of errors to a reason and a detail.

use std::{error::Error, io, iter, time::Duration};

use rustls::{CertificateError, PeerIncompatible};

use crate::{
    delivery::{fence::Fenced, guard::Refusal},
    domain::{AttemptDetail, EndpointUrl, FailureReason, TlsTrouble},
};

const BROKE_OFF: &str = "The receiver closed the connection before answering";

/// Returns the reason and a detail that names the host at most: paths and queries may hold secrets of the receiver's
/// owner.
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
        return (FailureReason::Timeout, too_late(timeout).into());
    }
    let io = chain(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .last();
    if error.is_connect() {
        return explain_connect(io, url);
    }
    if error.is_builder() {
        let detail = "The URL cannot be written as an HTTP request".to_owned();
        return (FailureReason::Protocol, detail.into());
    }
    explain_exchange(error)
}

/// Of a connection that stands, but brought no answer.
pub(super) fn explain_exchange(error: &(dyn Error + 'static)) -> (FailureReason, AttemptDetail) {
    let ended = chain(error)
        .filter_map(|error| error.downcast_ref::<io::Error>())
        .any(|io| is_end(io.kind()));
    let detail = match find::<hyper::Error>(error) {
        _ if ended => BROKE_OFF,
        Some(error) if error.is_parse() => "The answer is not HTTP",
        Some(error) if error.is_incomplete_message() || error.is_closed() || error.is_canceled() => BROKE_OFF,
        _ => "The receiver broke the rules of HTTP",
    };
    (FailureReason::Protocol, detail.to_owned().into())
}

/// Of a host that cannot be called, or may not be.
pub(super) fn explain_refusal(refusal: &Refusal) -> (FailureReason, AttemptDetail) {
    let reason = match refusal {
        Refusal::Blocked(_) => FailureReason::Blocked,
        Refusal::NotFound(_) | Refusal::LookupFailed(_) => FailureReason::Dns,
    };
    (reason, refusal.to_string().into())
}

/// Of a connection, or of TLS on it.
pub(super) fn explain_io(error: &io::Error, url: &EndpointUrl) -> (FailureReason, AttemptDetail) {
    match find::<rustls::Error>(error) {
        Some(error) => (FailureReason::Tls, explain_tls(error)),
        None => explain_connect(Some(error), url),
    }
}

/// Whether it was our own doing that there is no connection.
pub(super) fn is_fenced(error: &(dyn Error + 'static)) -> bool {
    find::<Fenced>(error).is_some()
}

/// `No complete answer within 15 s`.
pub(super) fn too_late(timeout: Duration) -> String {
    if timeout.subsec_millis() == 0 {
        format!("No complete answer within {} s", timeout.as_secs())
    } else {
        format!("No complete answer within {} ms", timeout.as_millis())
    }
}

/// Whether it was the connection that failed, while a body was read, and not its decompression.
pub(super) fn broke_off(error: &reqwest::Error) -> bool {
    find::<hyper::Error>(error).is_some()
}

fn explain_connect(io: Option<&io::Error>, url: &EndpointUrl) -> (FailureReason, AttemptDetail) {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};

    let host = url.as_url().host_str().unwrap_or_default();
    let port = url.as_url().port_or_known_default().unwrap_or_default();
    let detail = match io {
        Some(io) if io.kind() == ConnectionRefused => format!("Connection refused by {host}:{port}"),
        Some(io) if matches!(io.kind(), HostUnreachable | NetworkUnreachable) => {
            format!("No route to {host}:{port}")
        }
        // Once TCP is up, what is left of connecting is TLS.
        Some(io) if is_end(io.kind()) && url.is_https() => {
            return (FailureReason::Tls, TlsTrouble::ClosedDuringHandshake.into());
        }
        Some(io) => format!("Could not connect to {host}:{port}: {io}"),
        None => format!("Could not connect to {host}:{port}"),
    };
    (FailureReason::Connect, detail.into())
}

fn explain_tls(error: &rustls::Error) -> AttemptDetail {
    use rustls::Error as Tls;

    let trouble = match error {
        Tls::InvalidCertificate(problem) => explain_certificate(problem),
        Tls::NoCertificatesPresented => TlsTrouble::NoCertificate,
        Tls::InvalidMessage(_) => TlsTrouble::NoTls,
        Tls::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig) => {
            TlsTrouble::OldVersion
        }
        Tls::PeerIncompatible(_) => TlsTrouble::NothingInCommon,
        Tls::AlertReceived(alert) => {
            return format!("The receiver refused the TLS handshake ({alert:?})").into();
        }
        Tls::NoApplicationProtocol => TlsTrouble::NoHttp,
        _ => TlsTrouble::HandshakeFailed,
    };
    trouble.into()
}

fn explain_certificate(problem: &CertificateError) -> TlsTrouble {
    use CertificateError as Bad;

    match problem {
        Bad::Expired | Bad::ExpiredContext { .. } => TlsTrouble::CertificateExpired,
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => TlsTrouble::CertificateNotYetValid,
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => TlsTrouble::WrongName,
        Bad::UnknownIssuer => TlsTrouble::UnknownIssuer,
        Bad::Revoked => TlsTrouble::CertificateRevoked,
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => TlsTrouble::NotForServers,
        Bad::BadEncoding => TlsTrouble::UnreadableCertificate,
        Bad::BadSignature => TlsTrouble::WrongSignature,
        Bad::Other(_) => TlsTrouble::SelfSigned,
        _ => TlsTrouble::UnacceptableCertificate,
    }
}

fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};

    matches!(
        kind,
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe | NotConnected
    )
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// An error and all that caused it. An `io::Error` keeps another error inside without naming it as its source.
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
    fn an_error_inside_an_io_error_is_found() {
        let inner = io::Error::other(rustls::Error::HandshakeNotComplete);
        let outer = io::Error::other(inner);
        assert_eq!(
            find::<rustls::Error>(&outer),
            Some(&rustls::Error::HandshakeNotComplete)
        );
    }

    #[test]
    fn a_deadline_is_told_in_the_unit_that_it_was_set_in() {
        assert_eq!(
            too_late(Duration::from_secs(15)),
            "No complete answer within 15 s"
        );
        assert_eq!(
            too_late(Duration::from_millis(300)),
            "No complete answer within 300 ms"
        );
    }
}
