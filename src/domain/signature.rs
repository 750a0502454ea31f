//! Symmetric signatures of Standard Webhooks 1.0: HMAC-SHA256 of `id.timestamp.body`.
//!
//! This module also compiles for the browser, where the guide's signature check runs, so that no secret leaves it.

mod mismatch;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Secret, Timestamp};

pub use mismatch::explain_mismatch;

/// Maximum difference between a call's timestamp and the verifier's clock, in both directions.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Returns the value of `webhook-signature`: a `v1,BASE64` for each secret, separated by spaces.
///
/// During a rotation both secrets sign, the newest first, so that a receiver can verify with either. Libraries are
/// strict about the format: exactly one comma in a signature and exactly one space between two.
pub fn sign<'a>(
    id: &str,
    timestamp_secs: i64,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a Secret>,
) -> String {
    let keys: Vec<_> = secrets.into_iter().map(SigningKey::new).collect();
    sign_with(id, timestamp_secs, body, &keys)
}

/// Returns the value of `webhook-signature` for prepared keys.
pub fn sign_with<'a>(
    id: &str,
    timestamp_secs: i64,
    body: &[u8],
    keys: impl IntoIterator<Item = &'a SigningKey>,
) -> String {
    let timestamp = timestamp_secs.to_string();
    let mut value = String::new();
    for key in keys {
        let separator = if value.is_empty() { "" } else { " " };
        value.push_str(separator);
        value.push_str("v1,");
        STANDARD.encode_string(key.mac(id, &timestamp, body).finalize().into_bytes(), &mut value);
    }
    value
}

/// Secret prepared for HMAC, so that the part that does not depend on the message is computed once.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    pub fn new(secret: &Secret) -> Self {
        Self(Hmac::new_from_slice(secret.key()).expect("HMAC takes keys of any length"))
    }

    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

/// Verifies a call by its three headers and its exact body. A missing header is passed as an empty string.
///
/// Signatures of unknown versions are skipped, and one valid signature is enough, so that senders can rotate secrets
/// and introduce other schemes.
pub fn verify(
    secret: &Secret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    verify_in_detail(secret, id, timestamp, signature, body, now).result()
}

/// Result of each check of [`verify`]. A call may fail several checks at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub id: Result<(), VerifyError>,
    pub timestamp: Result<(), VerifyError>,
    /// Age of the call in seconds, if its timestamp is a number. Negative if the timestamp is in the future.
    pub age: Option<i64>,
    pub signature: Result<(), VerifyError>,
    /// Status of each signature of the header, in the order of the header.
    pub signatures: Vec<SignatureStatus>,
}

/// Status of one signature of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureStatus {
    Matches,
    Mismatch,
    /// Not the base64 of 32 bytes, so it was truncated or modified.
    Malformed,
    /// The version is not `v1`.
    Skipped,
}

impl Verification {
    /// Returns the first error.
    pub fn result(&self) -> Result<(), VerifyError> {
        self.id.and(self.timestamp).and(self.signature)
    }
}

/// Verifies a call like [`verify`], but returns the result of each check.
pub fn verify_in_detail(
    secret: &Secret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Verification {
    let expected = SigningKey::new(secret).mac(id, timestamp, body);
    let status = |signature: &str| match signature
        .strip_prefix("v1,")
        .map(|encoded| STANDARD.decode(encoded))
    {
        None => SignatureStatus::Skipped,
        // `verify_slice` compares in constant time, so its duration reveals nothing about the expected signature.
        Some(Ok(given)) if expected.clone().verify_slice(&given).is_ok() => SignatureStatus::Matches,
        Some(Ok(given)) if given.len() == 32 => SignatureStatus::Mismatch,
        Some(_) => SignatureStatus::Malformed,
    };
    let signatures: Vec<_> = signature
        .split(' ')
        .filter(|signature| !signature.is_empty())
        .map(status)
        .collect();
    let sent_at = timestamp.parse::<i64>();
    let age = sent_at.map(|sent_at| now.as_secs().saturating_sub(sent_at)).ok();
    let tolerance = TOLERANCE.as_secs().cast_signed();
    Verification {
        id: if id.is_empty() {
            Err(VerifyError::MissingId)
        } else {
            Ok(())
        },
        timestamp: match age {
            None => Err(VerifyError::TimestampNotAnInteger),
            Some(age) if age > tolerance => Err(VerifyError::TooOld),
            Some(age) if age < -tolerance => Err(VerifyError::TooNew),
            Some(_) => Ok(()),
        },
        age,
        signature: if signatures.contains(&SignatureStatus::Matches) {
            Ok(())
        } else if signatures
            .iter()
            .all(|status| *status == SignatureStatus::Skipped)
        {
            Err(VerifyError::NoSignature)
        } else {
            Err(VerifyError::Mismatch)
        },
        signatures,
    }
}

/// Reason a call does not verify, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("The webhook-id header is missing. Pass all three webhook-* headers of the call.")]
    MissingId,
    #[error("webhook-timestamp is not a whole number of Unix seconds. Pass the header unchanged.")]
    TimestampNotAnInteger,
    #[error(
        "The call is more than 5 minutes old. Verify calls when they arrive, check this machine's clock, \
         and resend old calls."
    )]
    TooOld,
    #[error("The call is more than 5 minutes in the future. Check this machine's clock.")]
    TooNew,
    #[error("webhook-signature contains no v1 signature. Pass the header unchanged.")]
    NoSignature,
    #[error(
        "The signature does not match. Check that the secret belongs to this webhook, and that the body is verified \
         byte for byte, before any parsing."
    )]
    Mismatch,
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const SENT: i64 = 1_614_265_330;
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const OTHER_SIGNATURE: &str = "v1,78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44=";
    const ASYMMETRIC: &str =
        "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";

    fn secret(text: &str) -> Secret {
        Secret::parse(text).unwrap()
    }

    /// Returns the time that is this many seconds after `SENT`.
    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_millis((SENT + seconds) * 1000)
    }

    fn verify_vector(timestamp: &str, signature: &str, now: Timestamp) -> Result<(), VerifyError> {
        verify(&secret(SECRET), ID, timestamp, signature, BODY, now)
    }

    #[test]
    fn reference_vectors_are_signed_and_verified() {
        let vectors: [(&str, i64, &[u8], &str, &str); 6] = [
            (ID, SENT, BODY, SECRET, SIGNATURE),
            (
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                br#"{"email":"test@example.com","username":"test_user"}"#,
                OTHER_SECRET,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
            (ID, SENT, BODY, OTHER_SECRET, OTHER_SIGNATURE),
            (
                ID,
                SENT,
                b"",
                SECRET,
                "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A=",
            ),
            (
                ID,
                SENT,
                r#"{"text":"café ☃ 😀"}"#.as_bytes(),
                SECRET,
                "v1,PqvcrSkHnJ5a4J0QrzlNT+uZkK81iO9ORcmxgQ1lOBU=",
            ),
            (
                ID,
                SENT,
                br#"{"type":"chat","timestamp":"2021-02-25T15:02:10Z","data":{"id":"1"}}"#,
                SECRET,
                "v1,kliH8ORFAC5T3/l47qMBgsnb4t+b56F7iVt3H7W7664=",
            ),
        ];
        for (id, sent, body, key, signature) in vectors {
            let key = secret(key);
            assert_eq!(sign(id, sent, body, [&key]), signature);
            let now = Timestamp::from_millis(sent * 1000);
            assert_eq!(verify(&key, id, &sent.to_string(), signature, body, now), Ok(()));
        }
    }

    #[test]
    fn asymmetric_signatures_are_skipped() {
        let sent = SENT.to_string();
        assert_eq!(
            verify_vector(&sent, ASYMMETRIC, after(0)),
            Err(VerifyError::NoSignature)
        );
        assert_eq!(
            verify_vector(&sent, &format!("{ASYMMETRIC} {SIGNATURE}"), after(0)),
            Ok(())
        );
    }

    #[test]
    fn rotation_signs_with_both_secrets_newest_first() {
        let (newest, previous) = (secret(SECRET), secret(OTHER_SECRET));
        let both = sign(ID, SENT, BODY, [&newest, &previous]);
        assert_eq!(both, format!("{SIGNATURE} {OTHER_SIGNATURE}"));
        for key in [newest, previous] {
            assert_eq!(verify(&key, ID, &SENT.to_string(), &both, BODY, after(0)), Ok(()));
        }
    }

    #[test]
    fn timestamp_may_differ_by_five_minutes() {
        let sent = SENT.to_string();
        for (seconds, expected) in [
            (300, Ok(())),
            (301, Err(VerifyError::TooOld)),
            (-300, Ok(())),
            (-301, Err(VerifyError::TooNew)),
        ] {
            assert_eq!(
                verify_vector(&sent, SIGNATURE, after(seconds)),
                expected,
                "{seconds} s"
            );
        }
        assert_eq!(
            verify_vector(&i64::MIN.to_string(), SIGNATURE, after(0)),
            Err(VerifyError::TooOld)
        );
        assert_eq!(
            verify_vector(&i64::MAX.to_string(), SIGNATURE, after(0)),
            Err(VerifyError::TooNew)
        );
    }

    #[test]
    fn each_invalid_header_has_its_own_error() {
        let now = after(0);
        let sent = SENT.to_string();
        assert_eq!(
            verify(&secret(SECRET), "", &sent, SIGNATURE, BODY, now),
            Err(VerifyError::MissingId)
        );
        for bad in ["", "now", "1614265330.5", "1614265330abc", " 1614265330"] {
            assert_eq!(
                verify_vector(bad, SIGNATURE, now),
                Err(VerifyError::TimestampNotAnInteger),
                "{bad:?}"
            );
        }
        for bad in ["", "v1", "v2,abc", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="] {
            assert_eq!(
                verify_vector(&sent, bad, now),
                Err(VerifyError::NoSignature),
                "{bad:?}"
            );
        }
        for bad in [
            "v1,",
            "v1,AAAA",
            "v1,not base64!",
            OTHER_SIGNATURE,
            &SIGNATURE[..20],
        ] {
            assert_eq!(
                verify_vector(&sent, bad, now),
                Err(VerifyError::Mismatch),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn detailed_verification_reports_each_check() {
        let signatures = format!("{OTHER_SIGNATURE}  {ASYMMETRIC} v1,AAAA {SIGNATURE}");
        let found = verify_in_detail(
            &secret(SECRET),
            ID,
            &SENT.to_string(),
            &signatures,
            BODY,
            after(301),
        );
        assert_eq!(
            found.signatures,
            [
                SignatureStatus::Mismatch,
                SignatureStatus::Skipped,
                SignatureStatus::Malformed,
                SignatureStatus::Matches
            ]
        );
        assert_eq!(
            (found.id, found.signature, found.age),
            (Ok(()), Ok(()), Some(301))
        );
        assert_eq!(found.timestamp, Err(VerifyError::TooOld));
        assert_eq!(found.result(), Err(VerifyError::TooOld));
        let empty = verify_in_detail(&secret(SECRET), "", "soon", "", BODY, after(0));
        assert_eq!(empty.result(), Err(VerifyError::MissingId));
        assert_eq!(empty.timestamp, Err(VerifyError::TimestampNotAnInteger));
        assert_eq!(empty.signature, Err(VerifyError::NoSignature));
    }

    #[test]
    fn changed_body_or_id_does_not_match() {
        let (key, sent) = (secret(SECRET), SENT.to_string());
        let changed = verify(&key, ID, &sent, SIGNATURE, br#"{"test":2432232314}"#, after(0));
        assert_eq!(changed, Err(VerifyError::Mismatch));
        let renamed = verify(&key, "msg_other", &sent, SIGNATURE, BODY, after(0));
        assert_eq!(renamed, Err(VerifyError::Mismatch));
    }
}
