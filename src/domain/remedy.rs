//! What went wrong in an attempt and what to do about it, in words for the people who run the receiver.

use super::{AttemptDetail, FailureReason, Outcome, TlsTrouble};

/// Returns what went wrong in an attempt, in a sentence without a full stop.
pub fn explanation(outcome: Outcome, detail: Option<&AttemptDetail>) -> Option<String> {
    match outcome {
        Outcome::Failed(FailureReason::Cancelled) => {
            Some("The webhook was deleted while this attempt was under way".to_owned())
        }
        _ => detail.map(ToString::to_string),
    }
}

/// What its owner can do, in a sentence or two. `None`: it went well, or there is nothing to be done.
pub fn remedy(outcome: Outcome, detail: Option<&AttemptDetail>) -> Option<&'static str> {
    match outcome {
        Outcome::Answered { status, .. } => answered(status),
        Outcome::Failed(reason) => failed(reason, detail),
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

fn failed(reason: FailureReason, detail: Option<&AttemptDetail>) -> Option<&'static str> {
    Some(match reason {
        FailureReason::Blocked => {
            "Webhooks can only reach public addresses. Use one, or ask whoever runs Caleida to allow this network."
        }
        FailureReason::Dns => "Check the spelling of the host, and that its DNS record exists and is public.",
        FailureReason::Connect => {
            "Check that the server runs, that it listens on the port of the URL, and that its firewall lets the call in."
        }
        FailureReason::Tls => match detail {
            Some(&AttemptDetail::Tls(trouble)) => tls(trouble),
            _ => tls(TlsTrouble::HandshakeFailed),
        },
        FailureReason::Timeout => {
            "Answer 2xx as soon as the signature is verified, and do the work afterwards, from a queue of your own."
        }
        FailureReason::Protocol => {
            "Check that what listens there is a web server, and that it does not crash on the call."
        }
        FailureReason::Cancelled => return None,
    })
}

fn tls(trouble: TlsTrouble) -> &'static str {
    match trouble {
        TlsTrouble::CertificateExpired => {
            "Renew the certificate, and check that its renewal runs by itself and that the server loads the new one."
        }
        TlsTrouble::CertificateNotYetValid => {
            "Check the clock of the machine that made the certificate, or wait until it is valid."
        }
        TlsTrouble::WrongName => {
            "Get a certificate for exactly the host in the URL, or correct the URL. A certificate for example.com does \
             not cover api.example.com."
        }
        TlsTrouble::UnknownIssuer => {
            "Usually the server sends its own certificate without the intermediate one: configure it to send the full \
             chain. A certificate of a private authority is not accepted."
        }
        TlsTrouble::CertificateRevoked => "Get a new certificate: its issuer has withdrawn this one.",
        TlsTrouble::SelfSigned
        | TlsTrouble::NotForServers
        | TlsTrouble::UnreadableCertificate
        | TlsTrouble::WrongSignature
        | TlsTrouble::UnacceptableCertificate => {
            "Use a certificate of a public authority, made for servers; they are free of charge."
        }
        TlsTrouble::NoCertificate | TlsTrouble::NoHttp | TlsTrouble::HandshakeFailed => {
            "Check the TLS settings of the server, or of the proxy before it."
        }
        TlsTrouble::NoTls => "Check the port in the URL: the server answers there without TLS.",
        TlsTrouble::OldVersion | TlsTrouble::NothingInCommon => {
            "Enable TLS 1.2 or 1.3 with current ciphers on the server."
        }
        TlsTrouble::ClosedDuringHandshake => {
            "Check that the server has a certificate for this host, and that no firewall cuts the connection."
        }
    }
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
    fn remedy_for_tls_depends_on_the_problem() {
        let tls = Outcome::Failed(FailureReason::Tls);
        let chain = remedy(tls, Some(&TlsTrouble::UnknownIssuer.into()));
        assert!(chain.unwrap().contains("full chain"));
        // A text is shown, but does not select the remedy.
        let text = AttemptDetail::Text(TlsTrouble::UnknownIssuer.sentence().to_owned());
        assert_eq!(remedy(tls, Some(&text)), remedy(tls, None));
    }

    #[test]
    fn cancelled_attempt_is_explained_by_its_reason() {
        let cancelled = explanation(Outcome::Failed(FailureReason::Cancelled), None);
        assert!(cancelled.unwrap().contains("deleted"));
        assert_eq!(explanation(Outcome::Failed(FailureReason::Timeout), None), None);
    }
}
