//! Passwords at rest: argon2id, off the threads that serve requests.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// The fewest characters of a password,
pub const MIN_LENGTH: usize = 12;

/// and the most: a longer one is no safer, and only slower to hash.
pub const MAX_LENGTH: usize = 256;

/// A password that somebody may have from now on.
pub struct NewPassword(Zeroizing<String>);

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("Use at least {MIN_LENGTH} characters.")]
    TooShort,
    #[error("Use at most {MAX_LENGTH} characters.")]
    TooLong,
}

impl NewPassword {
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        match text.chars().count() {
            0..MIN_LENGTH => Err(PasswordError::TooShort),
            MIN_LENGTH..=MAX_LENGTH => Ok(Self(Zeroizing::new(text.to_owned()))),
            _ => Err(PasswordError::TooLong),
        }
    }

    pub async fn hash(&self) -> String {
        hash(self.0.to_string()).await
    }
}

/// The hash of a password that nobody has, checked in place of an unknown user's: it takes the same time to fail.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y2FsZWlkYS1ub2JvZHk$0pxSuJ7cDcUcIzdY4hXyCS5Iu6QvhbwvBtXEdMEIGdo";

/// In PHC form, with a salt of its own and the parameters of its time.
pub async fn hash(password: String) -> String {
    let hashing = tokio::task::spawn_blocking(move || {
        let hash: PasswordHash = Argon2::default()
            .hash_password(password.as_bytes())
            .expect("the parameters are valid");
        hash.to_string()
    });
    hashing.await.expect("hashing does not panic")
}

/// Whether the password is the one that was hashed. Without a hash it takes as long and says no.
pub async fn verify(password: String, hash: Option<String>) -> bool {
    let verifying = tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let Ok(hash) = PasswordHash::new(hash.as_deref().unwrap_or(NOBODYS)) else {
            return false;
        };
        Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok()
            && known
    });
    verifying.await.unwrap_or(false)
}

/// A password to start with: 120 random bits.
pub fn generate() -> String {
    let mut random = [0; 15];
    getrandom::fill(&mut random).expect("the system's random numbers are available");
    URL_SAFE_NO_PAD.encode(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let hash = hash("correct horse".to_owned()).await;
        assert!(hash.starts_with("$argon2id$"));
        assert!(verify("correct horse".to_owned(), Some(hash.clone())).await);
        assert!(!verify("correct horsf".to_owned(), Some(hash)).await);
        assert!(!verify("anything".to_owned(), None).await);
    }

    #[test]
    fn a_new_password_has_12_to_256_characters() {
        let refused = |length| NewPassword::parse(&"é".repeat(length)).err();
        assert_eq!(refused(11), Some(PasswordError::TooShort));
        assert_eq!((refused(12), refused(256)), (None, None));
        assert_eq!(refused(257), Some(PasswordError::TooLong));
        assert_eq!(PasswordError::TooShort.to_string(), "Use at least 12 characters.");
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        let nobodys = PasswordHash::new(NOBODYS).unwrap();
        let real: PasswordHash = Argon2::default().hash_password(b"a password").unwrap();
        assert_eq!(nobodys.algorithm, real.algorithm);
        assert_eq!(nobodys.params.to_string(), real.params.to_string());
    }
}
