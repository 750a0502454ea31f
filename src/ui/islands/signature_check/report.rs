//! The report of a signature check.

use crate::{
    domain::{
        Secret, Timestamp,
        signature::{SignatureStatus, VerifyError, explain_mismatch, verify_in_detail},
    },
    ui::islands::signature_check::pasted::PastedHeaders,
};

/// The result of a signature check.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    pub verdict: &'static str,
    /// Advice for a signature that does not match, if the cause is a common mistake.
    pub hint: Option<&'static str>,
    pub checks: Vec<(CheckStatus, String)>,
    /// The signed content.
    pub signed: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    Passes,
    Fails,
    Skipped,
}

impl Report {
    /// Verifies the signature. Returns `None` if the secret is invalid or there are no headers.
    pub fn new(headers: &str, body: &str, secret: &str, now: Timestamp) -> Option<Self> {
        let headers = PastedHeaders::parse(headers);
        let secret = Secret::parse(secret).ok()?;
        if headers.is_empty() {
            return None;
        }
        let PastedHeaders {
            id,
            timestamp,
            signature,
        } = headers;
        let verification = verify_in_detail(&secret, &id, &timestamp, &signature, body.as_bytes(), now);
        let mut checks = vec![
            match verification.id {
                Ok(()) => (CheckStatus::Passes, ["webhook-id: ", &id].concat()),
                Err(error) => (CheckStatus::Fails, error.to_string()),
            },
            match (verification.timestamp, verification.age) {
                (Err(error), Some(age)) => (CheckStatus::Fails, format_age(age, &error.to_string())),
                (Err(error), None) => (CheckStatus::Fails, error.to_string()),
                (Ok(()), age) => (CheckStatus::Passes, format_age(age.unwrap_or_default(), "")),
            },
        ];
        for (signature, number) in verification.signatures.iter().zip(1..) {
            let (status, text) = match signature {
                SignatureStatus::Matches => {
                    (CheckStatus::Passes, "matches the secret, ID, timestamp and body.")
                }
                SignatureStatus::Mismatch => (
                    CheckStatus::Fails,
                    "does not match: the secret, ID, timestamp or body is different.",
                ),
                SignatureStatus::Malformed => {
                    (CheckStatus::Fails, "is malformed: it was truncated or changed.")
                }
                SignatureStatus::Skipped => (CheckStatus::Skipped, "is not a v1 signature and is ignored."),
            };
            checks.push((status, format!("Signature {number} {text}")));
        }
        if let Err(error @ VerifyError::NoSignature) = verification.signature {
            checks.push((CheckStatus::Fails, error.to_string()));
        }
        let verdict = match verification.result() {
            Ok(()) => "A receiver accepts this call.",
            Err(VerifyError::TooOld) if verification.signature.is_ok() => {
                "The signature is valid, but receivers reject the call because of its age."
            }
            Err(_) => "A receiver rejects this call.",
        };
        let hint = (verification.signature == Err(VerifyError::Mismatch))
            .then(|| explain_mismatch(&secret, &id, &timestamp, &signature, body))
            .flatten();
        Some(Self {
            verdict,
            hint,
            checks,
            signed: [&id, ".", &timestamp, ".", body].concat(),
        })
    }
}

/// Returns the age of the call and an error: `webhook-timestamp: 3 min old. …`
fn format_age(age: i64, error: &str) -> String {
    let (number, unit) = match age.unsigned_abs() {
        s @ 0..60 => (s, "s"),
        s @ 60..3_600 => (s / 60, "min"),
        s @ 3_600..86_400 => (s / 3_600, "h"),
        s => (s / 86_400, "d"),
    };
    let direction = if age < 0 { "in the future" } else { "old" };
    format!("webhook-timestamp: {number} {unit} {direction}. {error}")
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::domain::signature::sign;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &str = r#"{"type":"chat"}"#;
    const SENT: i64 = 1_795_428_000;

    fn report(body: &str, secret: &str, after: i64) -> Report {
        let signature = sign("evt_1", SENT, BODY.as_bytes(), [&Secret::parse(SECRET).unwrap()]);
        let headers = format!(
            "webhook-id: evt_1\nwebhook-timestamp: {SENT}\nwebhook-signature: v1a,AA v1,AA {signature}"
        );
        Report::new(
            &headers,
            body,
            secret,
            Timestamp::from_millis((SENT + after) * 1_000),
        )
        .unwrap()
    }

    fn statuses(report: &Report) -> Vec<CheckStatus> {
        report.checks.iter().map(|(status, _)| *status).collect()
    }

    #[test]
    fn one_matching_signature_is_enough() {
        let valid = report(BODY, SECRET, 59);
        assert_eq!(valid.verdict, "A receiver accepts this call.");
        assert_eq!(
            statuses(&valid),
            [
                CheckStatus::Passes,
                CheckStatus::Passes,
                CheckStatus::Skipped,
                CheckStatus::Fails,
                CheckStatus::Passes
            ]
        );
        assert_eq!(valid.checks[1].1.trim(), "webhook-timestamp: 59 s old.");
        assert_eq!(valid.signed, format!("evt_1.{SENT}.{BODY}"));
    }

    #[test]
    fn reports_age_separately_from_signature() {
        let old = report(BODY, SECRET, 7_200);
        assert!(
            old.verdict.starts_with("The signature is valid,"),
            "{}",
            old.verdict
        );
        assert_eq!(old.checks[1].0, CheckStatus::Fails);
        assert!(old.checks[1].1.contains("2 h old"));
        let early = report(BODY, SECRET, -600);
        assert!(early.checks[1].1.contains("10 min in the future"));
    }

    #[test]
    fn hints_at_common_mistakes_only() {
        let edited = report(&format!("{BODY}\n"), SECRET, 0);
        assert_eq!(edited.verdict, "A receiver rejects this call.");
        assert!(edited.hint.unwrap().contains("line break"));
        let other = report(BODY, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 0);
        assert_eq!((other.checks[4].0, other.hint), (CheckStatus::Fails, None));
    }

    #[test]
    fn incomplete_input_gives_no_report() {
        let now = Timestamp::from_millis(0);
        assert_eq!(Report::new("", BODY, SECRET, now), None);
        assert_eq!(Report::new("webhook-id: evt_1", BODY, "short", now), None);
        let id_only = Report::new("webhook-id: evt_1", BODY, SECRET, now).unwrap();
        assert_eq!(
            statuses(&id_only),
            [CheckStatus::Passes, CheckStatus::Fails, CheckStatus::Fails]
        );
    }
}
