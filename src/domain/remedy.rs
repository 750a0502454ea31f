//! Explanations of failed attempts and remedies, for users who operate the receiver.

use super::{AttemptDetail, FailureReason, Outcome, TlsProblem};

/// Returns an explanation of a failed attempt, without a full stop.
pub fn explanation(outcome: Outcome, detail: Option<&AttemptDetail>) -> Option<String> {
    match outcome {
        Outcome::Failed(FailureReason::Cancelled) => {
            Some("The webhook was deleted during this attempt".to_owned())
        }
        _ => detail.map(ToString::to_string),
    }
}

/// Returns what the operator of the receiver can do. Returns `None` if the attempt succeeded or nothing can be done.
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
            "Redirects are not followed, because a signed body must not be sent to another URL. Set the webhook's URL to the \
             target of the redirect."
        }
        400 | 422 => {
            "The receiver rejected the body. Check its response. Verify the signature over the raw body, before parsing it."
        }
        401 | 403 => {
            "The receiver, or a firewall or proxy in front of it, rejected the call. Allow it without a login, because the \
             signature authenticates it. If your signature check rejects the call, compare the secret."
        }
        404 => "The path does not exist on the receiver. Correct the URL or add the route.",
        405 => "The path exists but does not accept POST. Correct the URL or accept POST on the route.",
        408 | 504 => "A proxy in front of the receiver timed out. Respond first, then process the event.",
        410 => {
            "The receiver responded that it is permanently gone, so the webhook was disabled. Resume it to send again."
        }
        413 => {
            "The receiver, or a proxy in front of it, accepts only smaller bodies. Allow at least 256 KiB."
        }
        415 => "The receiver does not accept JSON. Accept the content type application/json.",
        429 => {
            "The receiver's rate limit was exceeded. Calls are slowed down automatically. Raise the limit to get them sooner."
        }
        502 | 503 => {
            "A proxy responded, but the receiver behind it did not. Check that the receiver is running."
        }
        500..=599 => {
            "The receiver failed while processing the call. Check its logs at the time of this attempt."
        }
        _ => "Only 2xx counts as success. Check the response and the receiver's logs.",
    })
}

fn failed(reason: FailureReason, detail: Option<&AttemptDetail>) -> Option<&'static str> {
    Some(match reason {
        FailureReason::Blocked => {
            "Webhooks can only reach public addresses. Use one, or ask the operator of Caleida to allow this network."
        }
        FailureReason::Dns => {
            "Check the spelling of the host name, and that its DNS record exists and is public."
        }
        FailureReason::Connect => {
            "Check that the server is running, that it listens on the port of the URL, and that its firewall allows the call."
        }
        FailureReason::Tls => match detail {
            Some(&AttemptDetail::Tls(problem)) => tls(problem),
            _ => tls(TlsProblem::HandshakeFailed),
        },
        FailureReason::Timeout => {
            "Respond with 2xx as soon as the signature is verified, and process the event afterwards, for example in a queue."
        }
        FailureReason::Protocol => {
            "Check that a web server listens on this port, and that it does not crash on the call."
        }
        FailureReason::Cancelled => return None,
    })
}

fn tls(problem: TlsProblem) -> &'static str {
    match problem {
        TlsProblem::CertificateExpired => {
            "Renew the certificate, and check that it is renewed automatically and that the server loads the new one."
        }
        TlsProblem::CertificateNotYetValid => {
            "Check the clock of the machine that issued the certificate, or wait until it is valid."
        }
        TlsProblem::WrongName => {
            "Get a certificate for the exact host name in the URL, or correct the URL. A certificate for example.com does \
             not cover api.example.com."
        }
        TlsProblem::UnknownIssuer => {
            "Usually the server sends its certificate without the intermediate certificate. Configure it to send the full \
             chain. Certificates of private authorities are not accepted."
        }
        TlsProblem::CertificateRevoked => "Get a new certificate. The issuer has revoked this one.",
        TlsProblem::UnsupportedSignature => {
            "Use a certificate with RSA (2048 bits or more), ECDSA (P-256 or P-384) or Ed25519, in its whole chain."
        }
        TlsProblem::SelfSigned
        | TlsProblem::NotForServers
        | TlsProblem::UnreadableCertificate
        | TlsProblem::WrongSignature
        | TlsProblem::UnacceptableCertificate => {
            "Use a server certificate of a public authority. Some issue them free of charge."
        }
        TlsProblem::NoCertificate | TlsProblem::NoHttp | TlsProblem::HandshakeFailed => {
            "Check the TLS settings of the server, or of the proxy in front of it."
        }
        TlsProblem::NoTls => "Check the port in the URL. The server responds there without TLS.",
        TlsProblem::OldVersion | TlsProblem::NothingInCommon => {
            "Enable TLS 1.2 or 1.3 with current ciphers on the server."
        }
        TlsProblem::ClosedDuringHandshake => {
            "Check that the server has a certificate for this host, and that no firewall closes the connection."
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::VariantArray;

    use super::*;

    #[test]
    fn failures_have_a_remedy_and_successes_do_not() {
        for status in 100..=599 {
            let outcome = Outcome::Answered {
                status,
                retry_after: None,
            };
            assert_eq!(remedy(outcome, None).is_none(), outcome.succeeded(), "{status}");
        }
        for &reason in FailureReason::VARIANTS {
            let has_remedy = remedy(Outcome::Failed(reason), None).is_some();
            assert_eq!(has_remedy, reason != FailureReason::Cancelled, "{reason:?}");
        }
    }

    #[test]
    fn remedy_for_tls_depends_on_the_problem() {
        let tls = Outcome::Failed(FailureReason::Tls);
        let chain = remedy(tls, Some(&TlsProblem::UnknownIssuer.into()));
        assert!(chain.unwrap().contains("full chain"));
        // A text is displayed, but does not determine the remedy.
        let text = AttemptDetail::Text(TlsProblem::UnknownIssuer.sentence().to_owned());
        assert_eq!(remedy(tls, Some(&text)), remedy(tls, None));
    }

    #[test]
    fn cancelled_attempt_is_explained_by_its_reason() {
        let cancelled = explanation(Outcome::Failed(FailureReason::Cancelled), None);
        assert!(cancelled.unwrap().contains("deleted"));
        assert_eq!(explanation(Outcome::Failed(FailureReason::Timeout), None), None);
    }
}
