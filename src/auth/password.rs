//! Passwords, hashed with argon2id on blocking threads.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::domain::text::normalize;

/// Minimum length of a password in characters.
pub const MIN_LENGTH: usize = 12;

/// Maximum length of a password in characters: a longer one is not safer, only slower to hash.
pub const MAX_LENGTH: usize = 256;

/// A new password of permitted length.
pub struct NewPassword(Zeroizing<String>);

/// Reason why a new password was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("Use at least {MIN_LENGTH} characters.")]
    TooShort,
    #[error("Use at most {MAX_LENGTH} characters.")]
    TooLong,
}

impl NewPassword {
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        let text = normalized(text);
        match text.chars().count() {
            0..MIN_LENGTH => Err(PasswordError::TooShort),
            MIN_LENGTH..=MAX_LENGTH => Ok(Self(text)),
            _ => Err(PasswordError::TooLong),
        }
    }

    pub async fn hash(&self) -> String {
        hash(self.0.to_string()).await
    }
}

/// Returns the password in the form that is hashed. The same keys produce different code points on different systems.
fn normalized(password: &str) -> Zeroizing<String> {
    Zeroizing::new(normalize(password).into_owned())
}

/// Hash checked for unknown users, so that a sign-in takes as long as for a known one.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y2FsZWlkYS1ub2JvZHk$0pxSuJ7cDcUcIzdY4hXyCS5Iu6QvhbwvBtXEdMEIGdo";

/// Hashes a password with a new salt. Returns the PHC string, which includes the salt and the parameters.
pub async fn hash(password: String) -> String {
    let hashing = tokio::task::spawn_blocking(move || {
        let hash: PasswordHash = Argon2::default()
            .hash_password(normalized(&password).as_bytes())
            .expect("the parameters are valid");
        hash.to_string()
    });
    hashing.await.expect("hashing does not panic")
}

/// Returns whether the password matches the hash. Without a hash, takes as long and returns `false`.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    let verifying = tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let Ok(hash) = PasswordHash::new(hash.as_deref().unwrap_or(DUMMY_HASH)) else {
            return false;
        };
        Argon2::default()
            .verify_password(normalized(&password).as_bytes(), &hash)
            .is_ok()
            && known
    });
    verifying.await.unwrap_or(false)
}

/// Generates a one-time password with 120 random bits.
pub fn generate() -> String {
    let mut random = [0; 15];
    getrandom::fill(&mut random).expect("the system's random numbers are available");
    URL_SAFE_NO_PAD.encode(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn verifies_only_the_correct_password() {
        let hash = hash("correct horse".to_owned()).await;
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify("correct horse".to_owned(), Some(hash.clone())).await);
        assert!(!verify("correct horsf".to_owned(), Some(hash)).await);
        assert!(!verify("anything".to_owned(), None).await);
    }

    #[tokio::test]
    async fn password_can_be_typed_on_any_system() {
        let (composed, decomposed) = ("pâté d’Ångström", "pa\u{302}te\u{301} d’A\u{30a}ngstro\u{308}m");
        for (stored, typed) in [(composed, decomposed), (decomposed, composed)] {
            let hash = NewPassword::parse(stored).unwrap().hash().await;
            assert!(verify(typed.to_owned(), Some(hash)).await);
            let hash = super::hash(stored.to_owned()).await;
            assert!(verify(typed.to_owned(), Some(hash)).await);
        }
        let error = |length| NewPassword::parse(&"e\u{301}".repeat(length)).err();
        assert_eq!((error(11), error(12)), (Some(PasswordError::TooShort), None));
    }

    #[test]
    fn new_password_has_12_to_256_characters() {
        let error = |length| NewPassword::parse(&"é".repeat(length)).err();
        assert_eq!(error(11), Some(PasswordError::TooShort));
        assert_eq!((error(12), error(256)), (None, None));
        assert_eq!(error(257), Some(PasswordError::TooLong));
        assert_eq!(PasswordError::TooShort.to_string(), "Use at least 12 characters.");
    }

    #[test]
    fn dummy_hash_costs_as_much_as_a_real_one() {
        let dummy = PasswordHash::new(DUMMY_HASH).unwrap();
        let real: PasswordHash = Argon2::default().hash_password(b"a password").unwrap();
        assert_eq!(dummy.algorithm, real.algorithm);
        assert_eq!(dummy.params.to_string(), real.params.to_string());
    }
}
