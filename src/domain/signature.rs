//! Standard Webhooks 1.0, symmetric: HMAC-SHA256 over `id.timestamp.body`.
//!
//! The browser has it too: the guide's signature check runs there, so that no secret leaves it.

mod near_miss;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Secret, Timestamp};

pub use near_miss::near_miss;

/// How far a call's timestamp may be from the verifier's clock, to either side.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// The value of `webhook-signature`: a `v1,BASE64` for each secret, separated by spaces.
///
/// During a rotation both secrets sign, the newest first, so that a receiver verifies with either. Libraries are strict
/// about the form: exactly one comma in a token, exactly one space between two.
pub fn sign<'a>(
    id: &str,
    timestamp_secs: i64,
    body: &[u8],
    secrets: impl IntoIterator<Item = &'a Secret>,
) -> String {
    let keys: Vec<_> = secrets.into_iter().map(SigningKey::new).collect();
    sign_with(id, timestamp_secs, body, &keys)
}

/// The same with keys that are prepared already.
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

/// A secret made ready for HMAC: what does not depend on the message is computed once.
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

/// Judges a call by its three headers, as they came, and its exact body. An absent header is an empty text.
///
/// Signatures of unknown versions are skipped, and one good signature is enough: that is what lets senders rotate
/// secrets and introduce other schemes.
pub fn verify(
    secret: &Secret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), VerifyError> {
    examine(secret, id, timestamp, signature, body, now).verdict()
}

/// What [`verify`] looks at, each by itself: a call may fail several checks at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    pub id: Result<(), VerifyError>,
    pub timestamp: Result<(), VerifyError>,
    /// Seconds since the call was made, if its timestamp is a number; below zero if that is still to come.
    pub age: Option<i64>,
    pub signature: Result<(), VerifyError>,
    /// Each signature of the header, in its order.
    pub tokens: Vec<Token>,
}

/// What one signature of the header is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Matches,
    Differs,
    /// Not even 32 bytes in base64: cut short, or changed on the way.
    Broken,
    /// Of another version than `v1`: for verifiers that know it.
    Skipped,
}

impl Examination {
    /// The first thing that is wrong.
    pub fn verdict(&self) -> Result<(), VerifyError> {
        self.id.and(self.timestamp).and(self.signature)
    }
}

/// As [`verify`], but finds everything.
pub fn examine(
    secret: &Secret,
    id: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: Timestamp,
) -> Examination {
    let expected = SigningKey::new(secret).mac(id, timestamp, body);
    let judge = |token: &str| match token.strip_prefix("v1,").map(|encoded| STANDARD.decode(encoded)) {
        None => Token::Skipped,
        // `verify_slice` compares in constant time: how long it takes tells nothing about the right signature.
        Some(Ok(given)) if expected.clone().verify_slice(&given).is_ok() => Token::Matches,
        Some(Ok(given)) if given.len() == 32 => Token::Differs,
        Some(_) => Token::Broken,
    };
    let tokens: Vec<_> = signature
        .split(' ')
        .filter(|token| !token.is_empty())
        .map(judge)
        .collect();
    let sent = timestamp.parse::<i64>();
    let age = sent.map(|sent| now.as_secs().saturating_sub(sent)).ok();
    let tolerance = TOLERANCE.as_secs().cast_signed();
    Examination {
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
        signature: if tokens.contains(&Token::Matches) {
            Ok(())
        } else if tokens.iter().all(|token| *token == Token::Skipped) {
            Err(VerifyError::NoSignature)
        } else {
            Err(VerifyError::Mismatch)
        },
        tokens,
    }
}

/// Why a call does not verify, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    #[error("There is no webhook-id: pass on all three webhook-* headers of the call.")]
    MissingId,
    #[error("webhook-timestamp is not a whole number of Unix seconds: pass the header on as it came.")]
    TimestampNotAnInteger,
    #[error(
        "The call is more than 5 minutes old: verify calls when they arrive, check this machine's clock, \
         and have old calls resent."
    )]
    TooOld,
    #[error("The call is from more than 5 minutes in the future: check this machine's clock.")]
    TooNew,
    #[error("webhook-signature holds no v1 signature: pass the header on as it came.")]
    NoSignature,
    #[error(
        "The signature does not match: check that the secret is this webhook's, and that the body is verified \
         byte for byte as it came, before any parsing."
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

    /// The moment that is this many seconds after `SENT`.
    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_millis((SENT + seconds) * 1000)
    }

    fn verify_vector(timestamp: &str, signature: &str, now: Timestamp) -> Result<(), VerifyError> {
        verify(&secret(SECRET), ID, timestamp, signature, BODY, now)
    }

    #[test]
    fn every_reference_vector_is_signed_and_verified_exactly() {
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
    fn an_asymmetric_signature_is_skipped_and_missed() {
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
    fn a_rotation_signs_with_both_secrets_the_newest_first() {
        let (newest, previous) = (secret(SECRET), secret(OTHER_SECRET));
        let both = sign(ID, SENT, BODY, [&newest, &previous]);
        assert_eq!(both, format!("{SIGNATURE} {OTHER_SIGNATURE}"));
        for key in [newest, previous] {
            assert_eq!(verify(&key, ID, &SENT.to_string(), &both, BODY, after(0)), Ok(()));
        }
    }

    #[test]
    fn the_timestamp_may_be_five_minutes_off_to_either_side_and_no_more() {
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
    fn each_broken_header_is_named() {
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
    fn an_examination_tells_of_each_check_by_itself() {
        let tokens = format!("{OTHER_SIGNATURE}  {ASYMMETRIC} v1,AAAA {SIGNATURE}");
        let found = examine(&secret(SECRET), ID, &SENT.to_string(), &tokens, BODY, after(301));
        assert_eq!(
            found.tokens,
            [Token::Differs, Token::Skipped, Token::Broken, Token::Matches]
        );
        assert_eq!(
            (found.id, found.signature, found.age),
            (Ok(()), Ok(()), Some(301))
        );
        assert_eq!(found.timestamp, Err(VerifyError::TooOld));
        assert_eq!(found.verdict(), Err(VerifyError::TooOld));
        let nothing = examine(&secret(SECRET), "", "soon", "", BODY, after(0));
        assert_eq!(nothing.verdict(), Err(VerifyError::MissingId));
        assert_eq!(nothing.timestamp, Err(VerifyError::TimestampNotAnInteger));
        assert_eq!(nothing.signature, Err(VerifyError::NoSignature));
    }

    #[test]
    fn a_changed_body_or_id_does_not_match() {
        let (key, sent) = (secret(SECRET), SENT.to_string());
        let changed = verify(&key, ID, &sent, SIGNATURE, br#"{"test":2432232314}"#, after(0));
        assert_eq!(changed, Err(VerifyError::Mismatch));
        let renamed = verify(&key, "msg_other", &sent, SIGNATURE, BODY, after(0));
        assert_eq!(renamed, Err(VerifyError::Mismatch));
    }
}
