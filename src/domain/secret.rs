//! The key that signs a webhook's calls.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// A secret as its owner wrote it, with the HMAC key it stands for. Never printed by `Debug`, wiped when dropped.
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

/// Why a text is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSecret {
    #[error("Use at least {} characters for the secret.", Secret::MIN_KEY)]
    TooShort,
    #[error("Use at most {} characters for the secret.", Secret::MAX_TEXT)]
    TooLong,
    /// It looks like a Standard Webhooks secret, so a receiver's library would try to decode it, and fail.
    #[error("After whsec_, use the base64 of 24 to 64 bytes; or leave out whsec_ to use the text as it is.")]
    NotBase64,
    #[error("Remove line breaks and other control characters from the secret.")]
    ControlCharacters,
}

impl Secret {
    pub const PREFIX: &'static str = "whsec_";
    /// Of a generated secret, in bytes.
    pub const GENERATED: usize = 32;
    /// The fewest bytes of a key.
    pub const MIN_KEY: usize = 24;
    /// The most bytes of a `whsec_` key.
    pub const MAX_KEY: usize = 64;
    /// The most bytes of a text of one's own.
    pub const MAX_TEXT: usize = 256;

    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let text = text.trim();
        if text.len() < Self::MIN_KEY {
            return Err(InvalidSecret::TooShort);
        }
        if text.len() > Self::MAX_TEXT {
            return Err(InvalidSecret::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidSecret::ControlCharacters);
        }
        let key = match text.strip_prefix(Self::PREFIX) {
            Some(encoded) => STANDARD
                .decode(encoded)
                .ok()
                .filter(|key| (Self::MIN_KEY..=Self::MAX_KEY).contains(&key.len()))
                .ok_or(InvalidSecret::NotBase64)?,
            None => text.as_bytes().to_vec(),
        };
        Ok(Self {
            text: Zeroizing::new(text.to_owned()),
            key: Zeroizing::new(key),
        })
    }

    /// The secret of a new webhook, from 32 random bytes.
    pub fn from_random(random: [u8; Self::GENERATED]) -> Self {
        let key = Zeroizing::new(random.to_vec());
        Self {
            text: Zeroizing::new(whsec(&key)),
            key,
        }
    }

    /// A new secret from the system's random numbers.
    #[cfg(feature = "ssr")]
    pub fn generate() -> Self {
        let mut random = [0; Self::GENERATED];
        getrandom::fill(&mut random).expect("the system's random numbers are available");
        Self::from_random(random)
    }

    /// The HMAC key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The text as its owner knows it. For the owner's eyes, and for sealing; never for a log.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The same key in the form that Standard Webhooks libraries take.
    pub fn to_whsec(&self) -> Zeroizing<String> {
        Zeroizing::new(whsec(&self.key))
    }

    /// Whether the text is used as it is, so that [`Secret::to_whsec`] differs from it.
    pub fn is_own_text(&self) -> bool {
        !self.text.starts_with(Self::PREFIX)
    }

    /// What makes an accepted secret easier to guess than it should be, in words for its owner.
    pub fn weakness(&self) -> Option<&'static str> {
        let mut seen = [false; 256];
        self.key.iter().for_each(|&byte| seen[usize::from(byte)] = true);
        let distinct = seen.iter().filter(|&&seen| seen).count();
        let text = self.is_own_text().then_some(self.text.as_str());
        if distinct < 10 {
            Some("It repeats a few characters: a generated secret is far harder to guess.")
        } else if text.is_some_and(|text| text.bytes().all(|b| b.is_ascii_digit())) {
            Some("It has only digits: mix in letters, or generate one.")
        } else if text.is_some_and(|text| {
            let text = text.to_ascii_lowercase();
            ["secret", "password", "caleida", "webhook", "12345", "qwerty"]
                .iter()
                .any(|word| text.contains(word))
        }) {
            Some("It contains a word that is guessed first: generate one instead.")
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
    fn a_whsec_secret_is_decoded_and_any_other_text_is_its_own_key() {
        let standard = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(standard.key().len(), 24);
        assert!(!standard.is_own_text());
        let own = Secret::parse("correct horse battery staple").unwrap();
        assert_eq!(own.key(), b"correct horse battery staple");
        assert_eq!(Secret::parse(&own.to_whsec()).unwrap().key(), own.key());
    }

    #[test]
    fn short_long_and_misleading_secrets_are_refused_with_their_reason() {
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
    fn a_generated_secret_parses_back_and_is_not_weak() {
        let secret = Secret::from_random(std::array::from_fn(|i| u8::try_from(i * 7 % 256).unwrap()));
        let parsed = Secret::parse(secret.reveal()).unwrap();
        assert_eq!(parsed.key(), secret.key());
        assert_eq!(parsed.weakness(), None);
    }

    #[test]
    fn weak_secrets_are_named() {
        for weak in [
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "123456789012345678901234",
            "my-webhook-password-is-long",
        ] {
            assert!(Secret::parse(weak).unwrap().weakness().is_some(), "{weak}");
        }
    }

    #[test]
    fn debug_never_shows_it() {
        let secret = Secret::parse("correct horse battery staple").unwrap();
        assert!(!format!("{secret:?}").contains("horse"));
    }
}
