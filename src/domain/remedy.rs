//! What to do about an attempt that failed, in words for whoever runs the receiver.

use strum::{EnumString, IntoStaticStr};

use super::{FailureReason, Outcome};

/// What can be wrong with a receiver's TLS. It is on record as its sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
pub enum TlsTrouble {
    #[strum(serialize = "The certificate has expired")]
    Expired,
    #[strum(serialize = "The certificate is not valid yet")]
    NotYetValid,
    #[strum(serialize = "The certificate is for another name")]
    WrongName,
    #[strum(serialize = "The certificate's issuer is not trusted")]
    UnknownIssuer,
    #[strum(serialize = "The certificate has been revoked")]
    Revoked,
    #[strum(serialize = "The certificate is not meant for servers")]
    NotForServers,
    #[strum(serialize = "The certificate cannot be read")]
    Unreadable,
    #[strum(serialize = "The certificate's signature is wrong")]
    WrongSignature,
    // An authority's own certificate shown as a server's: how most self-signed ones are made.
    #[strum(serialize = "The certificate is self-signed, or not made for a server")]
    SelfSigned,
    #[strum(serialize = "The certificate is not acceptable")]
    Unacceptable,
    #[strum(serialize = "The receiver showed no certificate")]
    NoCertificate,
    #[strum(serialize = "The receiver does not speak TLS on this port")]
    NoTls,
    #[strum(serialize = "The receiver speaks only versions of TLS that are no longer safe")]
    OldVersion,
    #[strum(serialize = "The receiver and we have no kind of TLS in common")]
    NothingInCommon,
    #[strum(serialize = "The receiver speaks neither HTTP/1.1 nor HTTP/2")]
    NoHttp,
    #[strum(serialize = "The receiver closed the connection during the TLS handshake")]
    ClosedDuringHandshake,
    #[strum(serialize = "The TLS handshake failed")]
    HandshakeFailed,
}

impl TlsTrouble {
    /// A sentence without a full stop.
    pub fn sentence(self) -> &'static str {
        self.into()
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Expired => {
                "Renew the certificate, and check that its renewal runs by itself and that the server loads the new one."
            }
            Self::NotYetValid => {
                "Check the clock of the machine that made the certificate, or wait until it is valid."
            }
            Self::WrongName => {
                "Get a certificate for exactly the host in the URL, or correct the URL. A certificate for example.com does \
                 not cover api.example.com."
            }
            Self::UnknownIssuer => {
                "Usually the server sends its own certificate without the intermediate one: configure it to send the full \
                 chain. A certificate of a private authority is not accepted."
            }
            Self::Revoked => "Get a new certificate: its issuer has withdrawn this one.",
            Self::SelfSigned
            | Self::NotForServers
            | Self::Unreadable
            | Self::WrongSignature
            | Self::Unacceptable => {
                "Use a certificate of a public authority, made for servers; they are free of charge."
            }
            Self::NoCertificate | Self::NoHttp | Self::HandshakeFailed => {
                "Check the TLS settings of the server, or of the proxy before it."
            }
            Self::NoTls => "Check the port in the URL: the server answers there without TLS.",
            Self::OldVersion | Self::NothingInCommon => {
                "Enable TLS 1.2 or 1.3 with current ciphers on the server."
            }
            Self::ClosedDuringHandshake => {
                "Check that the server has a certificate for this host, and that no firewall cuts the connection."
            }
        }
    }
}

/// What its owner can do, in a sentence or two. `None`: it went well, or there is nothing to be done.
pub fn remedy(outcome: Outcome, detail: Option<&str>) -> Option<&'static str> {
    match outcome {
        Outcome::Answered { status, .. } => answered(status),
        Outcome::Failed(reason) => failed(reason, detail.unwrap_or_default()),
    }
}

fn answered(status: u16) -> Option<&'static str> {
    Some(match status {
        200..=299 => return None,
        300..=399 => {
            "Redirects are not followed, since a signed body must not go where nobody said it should. Use the address that \
             it leads to as the webhook's URL."
        }
        400 | 422 => {
            "The receiver did not accept the body: look at its answer. Verify the signature over the raw body, before it is \
             parsed."
        }
        401 | 403 => {
            "The receiver, or a firewall or login before it, refused the call. Let it through without a login: the signature \
             is what proves where it comes from. If it is your signature check that refuses, compare the secret."
        }
        404 => "There is nothing under this path on the receiver. Correct the URL, or add the route.",
        405 => "The path exists but takes no POST. Correct the URL, or let the route take POST.",
        408 | 504 => {
            "Something before the receiver gave up waiting. Answer first, and do the work afterwards."
        }
        410 => {
            "The receiver says that it is gone for good, so the webhook was disabled. Resume it to send again."
        }
        413 => "The receiver, or a proxy before it, takes only smaller bodies. Allow at least 256 KiB.",
        415 => "The receiver does not take JSON. Let it accept the content type application/json.",
        429 => {
            "The receiver asks for fewer calls. They are spread out by themselves; raise its limit to get them sooner."
        }
        502 | 503 => "A proxy answered, but the receiver behind it did not. Check that it runs.",
        500..=599 => {
            "The receiver failed while it worked on the call: its own log tells why, at the time of this attempt."
        }
        _ => "Only 2xx counts as received. Look at the answer, and at the receiver's log.",
    })
}

fn failed(reason: FailureReason, detail: &str) -> Option<&'static str> {
    Some(match reason {
        FailureReason::Blocked => {
            "Webhooks can only reach public addresses. Use one, or ask whoever runs Caleida to allow this network."
        }
        FailureReason::Dns => "Check the spelling of the host, and that its DNS record exists and is public.",
        FailureReason::Connect => {
            "Check that the server runs, that it listens on the port of the URL, and that its firewall lets the call in."
        }
        FailureReason::Tls => detail.parse().unwrap_or(TlsTrouble::HandshakeFailed).remedy(),
        FailureReason::Timeout => {
            "Answer 2xx as soon as the signature is verified, and do the work afterwards, from a queue of your own."
        }
        FailureReason::Protocol => {
            "Check that what listens there is a web server, and that it does not crash on the call."
        }
        FailureReason::Cancelled => return None,
    })
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn every_failure_has_a_remedy_and_success_needs_none() {
        for status in 100..=599 {
            let outcome = Outcome::Answered {
                status,
                retry_after: None,
            };
            assert_eq!(remedy(outcome, None).is_none(), outcome.succeeded(), "{status}");
        }
        for &reason in FailureReason::VARIANTS {
            let remedied = remedy(Outcome::Failed(reason), None).is_some();
            assert_eq!(remedied, reason != FailureReason::Cancelled, "{reason:?}");
        }
    }

    #[test]
    fn a_trouble_with_tls_is_known_by_its_sentence() {
        let chain = remedy(
            Outcome::Failed(FailureReason::Tls),
            Some("The certificate's issuer is not trusted"),
        );
        assert!(chain.unwrap().contains("full chain"));
    }
}
