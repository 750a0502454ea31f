//! What there is to say of a call, in words.

use crate::{
    domain::{
        Secret, Timestamp,
        signature::{Token, VerifyError, examine, near_miss},
    },
    ui::islands::signature_check::pasted::Headers,
};

/// The whole answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Report {
    pub verdict: &'static str,
    /// What to do about a signature that does not match, if it is one of the usual mistakes.
    pub hint: Option<&'static str>,
    pub checks: Vec<(Mark, String)>,
    /// What the signature is of.
    pub signed: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    Passes,
    Fails,
    Skipped,
}

impl Report {
    /// Nothing, until there is something to judge.
    pub fn of(headers: &str, body: &str, secret: &str, now: Timestamp) -> Option<Self> {
        let headers = Headers::find(headers);
        let secret = Secret::parse(secret).ok()?;
        if headers.is_empty() {
            return None;
        }
        let Headers {
            id,
            timestamp,
            signature,
        } = headers;
        let found = examine(&secret, &id, &timestamp, &signature, body.as_bytes(), now);
        let mut checks = vec![
            match found.id {
                Ok(()) => (Mark::Passes, ["webhook-id: ", &id].concat()),
                Err(error) => (Mark::Fails, error.to_string()),
            },
            match (found.timestamp, found.age) {
                (Err(error), Some(age)) => (Mark::Fails, aged(age, &error.to_string())),
                (Err(error), None) => (Mark::Fails, error.to_string()),
                (Ok(()), age) => (Mark::Passes, aged(age.unwrap_or_default(), "")),
            },
        ];
        for (token, number) in found.tokens.iter().zip(1..) {
            let (mark, text) = match token {
                Token::Matches => (
                    Mark::Passes,
                    "is made with this secret, of this id, timestamp and body.",
                ),
                Token::Differs => (
                    Mark::Fails,
                    "is of something else: another secret, or another id, timestamp or body.",
                ),
                Token::Broken => (
                    Mark::Fails,
                    "is not whole: it was cut short, or changed on the way.",
                ),
                Token::Skipped => (Mark::Skipped, "is no v1 signature: verifiers of v1 look past it."),
            };
            checks.push((mark, format!("Signature {number} {text}")));
        }
        if let Err(error @ VerifyError::NoSignature) = found.signature {
            checks.push((Mark::Fails, error.to_string()));
        }
        let verdict = match found.verdict() {
            Ok(()) => "A receiver takes this call.",
            Err(VerifyError::TooOld) if found.signature.is_ok() => {
                "The signature is good. Receivers refuse the call by now, because of its age."
            }
            Err(_) => "A receiver refuses this call.",
        };
        let hint = (found.signature == Err(VerifyError::Mismatch))
            .then(|| near_miss(&secret, &id, &timestamp, &signature, body))
            .flatten();
        Some(Self {
            verdict,
            hint,
            checks,
            signed: [&id, ".", &timestamp, ".", body].concat(),
        })
    }
}

/// `webhook-timestamp: 3 min old. …`
fn aged(age: i64, then: &str) -> String {
    let (number, unit) = match age.unsigned_abs() {
        s @ 0..60 => (s, "s"),
        s @ 60..3_600 => (s / 60, "min"),
        s @ 3_600..86_400 => (s / 3_600, "h"),
        s => (s / 86_400, "d"),
    };
    let way = if age < 0 { "in the future" } else { "old" };
    format!("webhook-timestamp: {number} {unit} {way}. {then}")
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
        Report::of(
            &headers,
            body,
            secret,
            Timestamp::from_millis((SENT + after) * 1_000),
        )
        .unwrap()
    }

    fn marks(report: &Report) -> Vec<Mark> {
        report.checks.iter().map(|(mark, _)| *mark).collect()
    }

    #[test]
    fn a_good_call_passes_by_one_good_signature() {
        let good = report(BODY, SECRET, 59);
        assert_eq!(good.verdict, "A receiver takes this call.");
        assert_eq!(
            marks(&good),
            [
                Mark::Passes,
                Mark::Passes,
                Mark::Skipped,
                Mark::Fails,
                Mark::Passes
            ]
        );
        assert_eq!(good.checks[1].1.trim(), "webhook-timestamp: 59 s old.");
        assert_eq!(good.signed, format!("evt_1.{SENT}.{BODY}"));
    }

    #[test]
    fn age_and_signature_are_told_apart() {
        let old = report(BODY, SECRET, 7_200);
        assert!(
            old.verdict.starts_with("The signature is good."),
            "{}",
            old.verdict
        );
        assert_eq!(old.checks[1].0, Mark::Fails);
        assert!(old.checks[1].1.contains("2 h old"));
        let early = report(BODY, SECRET, -600);
        assert!(early.checks[1].1.contains("10 min in the future"));
    }

    #[test]
    fn a_mistake_is_named_and_another_secret_is_none() {
        let edited = report(&format!("{BODY}\n"), SECRET, 0);
        assert_eq!(edited.verdict, "A receiver refuses this call.");
        assert!(edited.hint.unwrap().contains("line break"));
        let other = report(BODY, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 0);
        assert_eq!((other.checks[4].0, other.hint), (Mark::Fails, None));
    }

    #[test]
    fn nothing_is_said_before_there_is_something_to_judge() {
        let now = Timestamp::from_millis(0);
        assert_eq!(Report::of("", BODY, SECRET, now), None);
        assert_eq!(Report::of("webhook-id: evt_1", BODY, "short", now), None);
        let lonely = Report::of("webhook-id: evt_1", BODY, SECRET, now).unwrap();
        assert_eq!(marks(&lonely), [Mark::Passes, Mark::Fails, Mark::Fails]);
    }
}
