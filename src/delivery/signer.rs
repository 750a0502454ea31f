//! The three headers by which a receiver knows that a call is ours: Standard Webhooks 1.0. What they say is in
//! [`signature`](crate::domain::signature).

use reqwest::header::HeaderName;

pub use crate::domain::signature::{SigningKey, VerifyError, sign, sign_with, verify};

/// The event's id, the same on every attempt.
pub const ID_HEADER: HeaderName = HeaderName::from_static("webhook-id");
/// Unix seconds of the attempt.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("webhook-timestamp");
/// What [`sign`] gives.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("webhook-signature");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Secret;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the official library compares with the system's clock"
    )]
    fn the_official_library_accepts_what_we_sign_with_either_secret_of_a_rotation() {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = i64::try_from(now.as_secs()).unwrap();
        let own_text = Secret::parse("correct horse battery staple").unwrap();
        let generated = Secret::generate();
        let mut headers = reqwest::header::HeaderMap::new();
        headers.insert(ID_HEADER, "evt_1".parse().unwrap());
        headers.insert(TIMESTAMP_HEADER, now.into());
        headers.insert(
            SIGNATURE_HEADER,
            sign("evt_1", now, BODY, [&generated, &own_text]).parse().unwrap(),
        );
        for key in [&generated, &own_text] {
            let official = standardwebhooks::Webhook::new(&key.to_whsec()).unwrap();
            official.verify(BODY, &headers).unwrap();
            official.verify(b"{}", &headers).unwrap_err();
        }
    }
}
