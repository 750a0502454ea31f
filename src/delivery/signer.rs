//! The three headers of Standard Webhooks 1.0 that receivers verify. [`signature`](crate::domain::signature) computes
//! the signature.

use reqwest::header::HeaderName;

pub use crate::domain::signature::{SigningKey, VerifyError, sign, sign_with, verify};

/// Id of the event. The same on every attempt.
pub const ID_HEADER: HeaderName = HeaderName::from_static("webhook-id");
/// Time of the attempt in Unix seconds.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("webhook-timestamp");
/// Result of [`sign`].
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("webhook-signature");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the official library compares the timestamp with the system clock"
    )]
    fn official_library_accepts_both_secrets_of_a_rotation() {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let plain_text = Secret::parse("correct horse battery staple").unwrap();
        let generated = Secret::generate();
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert(ID_HEADER, "evt_1".parse().unwrap());
        headers.insert(TIMESTAMP_HEADER, now.into());
        headers.insert(
            SIGNATURE_HEADER,
            sign("evt_1", now, BODY, [&generated, &plain_text])
                .parse()
                .unwrap(),
        );
        for key in [&generated, &plain_text] {
            let official = standardwebhooks::Webhook::new(&key.to_whsec()).unwrap();
            official.verify(BODY, &headers).unwrap();
            official.verify(b"{}", &headers).unwrap_err();
        }
    }
}
