//! Secrets, which sign the calls of webhooks.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// Secret as the user entered it, with its HMAC key. Not printed by `Debug`, and erased from memory when dropped.
///
/// | text | key |
/// |---|---|
/// | `whsec_` + base64 of 24 to 64 bytes | the decoded bytes |
/// | any other text of 24 to 256 bytes | its UTF-8 bytes |
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: Zeroizing<String>,
    key: Zeroizing<Vec<u8>>,
}

/// Error for an invalid secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    #[error("Use at least {} characters for the secret.", Secret::MIN_KEY_LENGTH)]
    TooShort,
    #[error("Use at most {} characters for the secret.", Secret::MAX_TEXT_LENGTH)]
    TooLong,
    /// It starts like a Standard Webhooks secret, but a receiver's library could not decode it.
    #[error(
        "After whsec_, use the base64 encoding of 24 to 64 bytes. To use the text as it is, remove whsec_."
    )]
    NotBase64,
    #[error("Remove line breaks and other control characters from the secret.")]
    ControlCharacters,
}

impl Secret {
    pub const PREFIX: &'static str = "whsec_";
    /// Length of a generated key in bytes.
    pub const GENERATED_LENGTH: usize = 32;
    /// Minimum length of a key in bytes.
    pub const MIN_KEY_LENGTH: usize = 24;
    /// Maximum length of a `whsec_` key in bytes.
    pub const MAX_KEY_LENGTH: usize = 64;
    /// Maximum length of the text in bytes.
    pub const MAX_TEXT_LENGTH: usize = 256;

    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim();
        if text.len() < Self::MIN_KEY_LENGTH {
            return Err(InvalidSecret::TooShort);
        }
        if text.len() > Self::MAX_TEXT_LENGTH {
            return Err(InvalidSecret::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidSecret::ControlCharacters);
        }
        let key = match text.strip_prefix(Self::PREFIX) {
            Some(encoded) => STANDARD
                .decode(encoded)
                .ok()
                .filter(|key| (Self::MIN_KEY_LENGTH..=Self::MAX_KEY_LENGTH).contains(&key.len()))
                .ok_or(InvalidSecret::NotBase64)?,
            None => text.as_bytes().to_vec(),
        };
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            key: Zeroizing::new(key),
        })
    }

    /// Creates a secret from 32 random bytes.
    pub fn from_random(random: [u8; Self::GENERATED_LENGTH]) -> Self {
        let key = Zeroizing::new(random.to_vec());
        Self {
            text: Zeroizing::new(whsec(&key)),
            key,
        }
    }

    /// Generates a secret from the system's random numbers.
    #[cfg(feature = "ssr")]
    pub fn generate() -> Self {
        let mut random = [0; Self::GENERATED_LENGTH];
        getrandom::fill(&mut random).expect("the system's random numbers are available");
        Self::from_random(random)
    }

    /// Returns the HMAC key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// Returns the text as the user entered it, to be shown to the user or sealed. It must never be logged.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// Returns the key in the form that Standard Webhooks libraries expect.
    pub fn to_whsec(&self) -> Zeroizing<String> {
        Zeroizing::new(whsec(&self.key))
    }

    /// Returns whether the text itself is the key, so that it differs from [`Secret::to_whsec`].
    pub fn is_raw_text(&self) -> bool {
        !self.text.starts_with(Self::PREFIX)
    }

    /// Returns a warning if the secret is valid but easy to guess.
    pub fn weakness(&self) -> Option<&'static str> {
        let mut seen = [false; 256];
        self.key.iter().for_each(|&byte| seen[usize::from(byte)] = true);
        let distinct = seen.iter().filter(|&&seen| seen).count();
        let text = self.is_raw_text().then_some(self.text.as_str());
        if distinct < 10 {
            Some("The secret repeats a few characters. A generated secret is much harder to guess.")
        } else if text.is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit())) {
            Some("The secret has only digits. Add letters or generate a secret.")
        } else if text.is_some_and(|text| {
            let text = text.to_ascii_lowercase();
            ["secret", "password", "caleida", "webhook", "12345", "qwerty"]
                .iter()
                .any(|word| text.contains(word))
        }) {
            Some("The secret contains a common word. A generated secret is much harder to guess.")
        } else {
            None
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

fn whsec(key: &[u8]) -> String {
    format!("{}{}", Secret::PREFIX, STANDARD.encode(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whsec_secrets_are_decoded_and_other_texts_used_as_keys() {
        let standard = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(standard.key().len(), 24);
        assert!(!standard.is_raw_text());
        let plain = Secret::parse("correct horse battery staple").unwrap();
        assert_eq!(plain.key(), b"correct horse battery staple");
        assert_eq!(Secret::parse(&plain.to_whsec()).unwrap().key(), plain.key());
    }

    #[test]
    fn rejects_invalid_secrets_with_their_reason() {
        assert_eq!(Secret::parse("hunter2"), Err(InvalidSecret::TooShort));
        assert_eq!(Secret::parse("whsec_"), Err(InvalidSecret::TooShort));
        assert_eq!(Secret::parse(&"x".repeat(257)), Err(InvalidSecret::TooLong));
        assert_eq!(
            Secret::parse("whsec_not base64 at all, sorry"),
            Err(InvalidSecret::NotBase64)
        );
        assert_eq!(
            Secret::parse("whsec_c2hvcnQgYnV0IHBhZGRlZA=="),
            Err(InvalidSecret::NotBase64)
        );
        assert_eq!(
            Secret::parse("a line\nand another line here"),
            Err(InvalidSecret::ControlCharacters)
        );
    }

    #[test]
    fn generated_secret_round_trips_and_is_not_weak() {
        let secret = Secret::from_random(std::array::from_fn(|i| u8::try_from(i * 7 % 256).unwrap()));
        let parsed = Secret::parse(secret.reveal()).unwrap();
        assert_eq!(parsed.key(), secret.key());
        assert_eq!(parsed.weakness(), None);
    }

    #[test]
    fn weak_secrets_get_a_warning() {
        for weak in [
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "123456789012345678901234",
            "my-webhook-password-is-long",
        ] {
            assert!(Secret::parse(weak).unwrap().weakness().is_some(), "{weak}");
        }
    }

    #[test]
    fn debug_output_hides_the_secret() {
        let secret = Secret::parse("correct horse battery staple").unwrap();
        assert!(!format!("{secret:?}").contains("horse"));
    }
}
