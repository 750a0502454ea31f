//! Browsers that have signed in before. Each has a failure count of its own, so that an attacker who keeps guessing
//! cannot lock out the user.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Number of random bytes of an id, and of the MAC.
const ID_LENGTH: usize = 16;
const MAC_LENGTH: usize = 32;

/// Separates this use of the password hash from any other.
const CONTEXT: &[u8] = b"caleida known browser 1";

/// Returns the token for a browser that has just signed in: a random id, and a MAC that binds it to the user.
///
/// The key is the stored hash of the password, with its random salt. So the server stores nothing, the token does not
/// help to guess the password, and a new password invalidates it. A token does not sign in.
pub(super) fn issue(email: &str, password_hash: &str) -> String {
    let mut token = [0; ID_LENGTH + MAC_LENGTH];
    let (id, rest) = token.split_at_mut(ID_LENGTH);
    getrandom::fill(id).expect("the system's random numbers are available");
    rest.copy_from_slice(&mac(id, email, password_hash).finalize().into_bytes());
    URL_SAFE_NO_PAD.encode(token)
}

/// Returns the id of the browser if the token was issued to it for this user and password.
pub(super) fn verify(token: &str, email: &str, password_hash: &str) -> Option<String> {
    let token = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (id, tag) = token.split_at_checked(ID_LENGTH)?;
    mac(id, email, password_hash).verify_slice(tag).ok()?;
    Some(URL_SAFE_NO_PAD.encode(id))
}

fn mac(id: &[u8], email: &str, password_hash: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(password_hash.as_bytes()).expect("any length of key is valid");
    for part in [CONTEXT, id, email.as_bytes()] {
        mac.update(part);
    }
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_valid_only_for_its_user_and_password() {
        let token = issue("ada@example.com", "$argon2id$hash");
        let id = verify(&token, "ada@example.com", "$argon2id$hash").unwrap();
        assert!(token.starts_with(&id[..20]), "{id}");
        assert_ne!(token, issue("ada@example.com", "$argon2id$hash"));
        assert_eq!(verify(&token, "bob@example.com", "$argon2id$hash"), None);
        assert_eq!(verify(&token, "ada@example.com", "$argon2id$other"), None);
        let forged = [
            id.as_str(),
            "",
            "AAAA",
            "!",
            &token[..60],
            &format!("{token}AAAA"),
        ]
        .map(str::to_owned);
        for forged in forged {
            assert_eq!(
                verify(&forged, "ada@example.com", "$argon2id$hash"),
                None,
                "{forged}"
            );
        }
    }
}
