//! Encryption of secrets at rest. Each is sealed with the master key and bound to its webhook.

pub mod one_time;
pub mod rotation;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    domain::{Secret, WebhookId, custom_header::CustomHeaders},
    store::Sealed,
};

/// Seals and opens secrets with XChaCha20-Poly1305. The webhook's id is authenticated as associated data, so a row
/// copied to another webhook does not open.
pub struct Vault {
    key: Key,
    /// Also opens secrets while the master key is rotated. Never seals.
    secondary: Option<Key>,
}

struct Key {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// Reason why a sealed secret does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The secret was sealed with another master key.
    #[error("sealed with master key {sealed_with}, but the configured key is {ours}")]
    UnknownKey { sealed_with: String, ours: String },
    /// The secret was modified, or belongs to another webhook.
    #[error("the sealed secret is damaged")]
    Damaged,
}

/// Length of a master key in bytes.
pub const MASTER_KEY_LENGTH: usize = 32;

const NONCE_LENGTH: usize = 24;

impl Key {
    fn new(master_key: &Zeroizing<[u8; MASTER_KEY_LENGTH]>) -> Self {
        // Identifies the key without revealing it. Stored with every secret, for key rotation.
        let fingerprint = Sha256::new()
            .chain_update(b"caleida master key id")
            .chain_update(master_key.as_slice());
        let id = fingerprint.finalize()[..4]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            id,
            cipher: XChaCha20Poly1305::new(master_key.as_slice().try_into().expect("32 bytes")),
        }
    }
}

impl Vault {
    pub fn new(master_key: &Zeroizing<[u8; MASTER_KEY_LENGTH]>) -> Self {
        Self {
            key: Key::new(master_key),
            secondary: None,
        }
    }

    /// Also opens secrets that this key has sealed.
    #[must_use]
    pub fn with_secondary_key(self, master_key: &Zeroizing<[u8; MASTER_KEY_LENGTH]>) -> Self {
        Self {
            secondary: Some(Key::new(master_key)).filter(|secondary| secondary.id != self.key.id),
            ..self
        }
    }

    /// Returns the id of the key that seals. Not a secret.
    pub fn key_id(&self) -> &str {
        &self.key.id
    }

    /// Returns the ids of the keys that open.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|key| key.id.as_str())
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.key).chain(&self.secondary)
    }

    pub fn seal(&self, webhook: &WebhookId, secret: &Secret) -> Sealed {
        self.seal_text(webhook.as_str(), secret.reveal())
    }

    pub fn open(&self, webhook: &WebhookId, sealed: &Sealed) -> Result<Secret, VaultError> {
        let text = self.open_text(webhook.as_str(), sealed)?;
        Secret::parse(&text).map_err(|_| VaultError::Damaged)
    }

    pub fn seal_headers(&self, webhook: &WebhookId, headers: &CustomHeaders) -> Sealed {
        self.seal_text(&headers_of(webhook), &headers.to_text())
    }

    pub fn open_headers(&self, webhook: &WebhookId, sealed: &Sealed) -> Result<CustomHeaders, VaultError> {
        let text = self.open_text(&headers_of(webhook), sealed)?;
        CustomHeaders::parse_text(&text).map_err(|_| VaultError::Damaged)
    }

    fn seal_text(&self, subject: &str, text: &str) -> Sealed {
        let mut nonce = [0; NONCE_LENGTH];
        getrandom::fill(&mut nonce).expect("the system's random numbers are available");
        let payload = Payload {
            msg: text.as_bytes(),
            aad: subject.as_bytes(),
        };
        let sealed = self
            .key
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("secrets are short");
        Sealed {
            key_id: self.key.id.clone(),
            ciphertext: [nonce.as_slice(), &sealed].concat(),
        }
    }

    fn open_text(&self, subject: &str, sealed: &Sealed) -> Result<Zeroizing<String>, VaultError> {
        let Some(key) = self.keys().find(|key| key.id == sealed.key_id) else {
            return Err(VaultError::UnknownKey {
                sealed_with: sealed.key_id.clone(),
                ours: self.key.id.clone(),
            });
        };
        let (nonce, ciphertext) = sealed
            .ciphertext
            .split_first_chunk::<NONCE_LENGTH>()
            .ok_or(VaultError::Damaged)?;
        let payload = Payload {
            msg: ciphertext,
            aad: subject.as_bytes(),
        };
        let text = key
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| VaultError::Damaged)?;
        let text = String::from_utf8(text).map_err(|_| VaultError::Damaged)?;
        Ok(Zeroizing::new(text))
    }
}

/// Returns the subject that the headers of a webhook are bound to. It differs from that of its secret, so that neither
/// opens as the other.
fn headers_of(webhook: &WebhookId) -> String {
    format!("{webhook}/headers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn vault(byte: u8) -> Vault {
        Vault::new(&Zeroizing::new([byte; MASTER_KEY_LENGTH]))
    }

    fn webhook() -> WebhookId {
        WebhookId::generate(Timestamp::from_millis(1))
    }

    #[test]
    fn sealed_secret_opens_only_for_its_webhook() {
        let (id, secret) = (webhook(), Secret::generate());
        let sealed = vault(1).seal(&id, &secret);
        assert_eq!(vault(1).open(&id, &sealed), Ok(secret));
        assert_eq!(vault(1).open(&webhook(), &sealed), Err(VaultError::Damaged));
    }

    #[test]
    fn secret_sealed_with_another_key_is_rejected() {
        let id = webhook();
        let sealed = vault(1).seal(&id, &Secret::generate());
        assert!(matches!(
            vault(2).open(&id, &sealed),
            Err(VaultError::UnknownKey { .. })
        ));
    }

    #[test]
    fn both_keys_open_and_the_primary_key_seals() {
        let (id, secret) = (webhook(), Secret::generate());
        let key = |byte| Zeroizing::new([byte; MASTER_KEY_LENGTH]);
        let both = Vault::new(&key(2)).with_secondary_key(&key(1));
        assert_eq!(both.open(&id, &vault(1).seal(&id, &secret)), Ok(secret.clone()));
        assert_eq!(vault(2).open(&id, &both.seal(&id, &secret)), Ok(secret));
        assert_eq!(both.key_ids().count(), 2);
        assert_eq!(
            Vault::new(&key(1)).with_secondary_key(&key(1)).key_ids().count(),
            1
        );
    }

    #[test]
    fn sealing_is_not_deterministic_and_hides_the_secret() {
        let (id, secret) = (webhook(), Secret::parse("correct horse battery staple").unwrap());
        let (first, second) = (vault(1).seal(&id, &secret), vault(1).seal(&id, &secret));
        assert_ne!(first, second);
        assert!(!first.ciphertext.windows(5).any(|window| window == b"horse"));
    }

    #[test]
    fn sealed_headers_open_only_as_headers_of_their_webhook() {
        let (id, vault) = (webhook(), vault(1));
        let headers = CustomHeaders::parse_text("authorization: Bearer a: b\nx-tenant: Zürich 🏔\n").unwrap();
        assert_eq!(headers.iter().count(), 2);
        let sealed = vault.seal_headers(&id, &headers);
        assert_eq!(vault.open_headers(&id, &sealed), Ok(headers));
        assert_eq!(vault.open_headers(&webhook(), &sealed), Err(VaultError::Damaged));
        assert_eq!(vault.open(&id, &sealed), Err(VaultError::Damaged));
        let secret = vault.seal(&id, &Secret::generate());
        assert_eq!(vault.open_headers(&id, &secret), Err(VaultError::Damaged));
    }

    #[test]
    fn tampered_ciphertext_does_not_open() {
        let id = webhook();
        let mut sealed = vault(1).seal(&id, &Secret::generate());
        *sealed.ciphertext.last_mut().unwrap() ^= 1;
        assert_eq!(vault(1).open(&id, &sealed), Err(VaultError::Damaged));
        sealed.ciphertext.truncate(3);
        assert_eq!(vault(1).open(&id, &sealed), Err(VaultError::Damaged));
    }
}
