//! Encryption of data that is stored for a short time, with a key that the database does not contain.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce, aead::Aead};
use zeroize::Zeroizing;

use super::NONCE_LENGTH;

/// Encrypts data with a random nonce.
pub fn seal(key: &[u8; 32], data: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE_LENGTH];
    getrandom::fill(&mut nonce).expect("the system's random numbers are available");
    let sealed = cipher(key).encrypt(&XNonce::from(nonce), data);
    [nonce.as_slice(), &sealed.expect("the data is short")].concat()
}

/// Returns `None` if the data was sealed with another key or modified.
pub fn open(key: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LENGTH>()?;
    let data = cipher(key).decrypt(&XNonce::from(*nonce), ciphertext);
    data.ok().map(Zeroizing::new)
}

fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.as_slice().try_into().expect("32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_unmodified_data() {
        let mut sealed = seal(&[1; 32], b"secret");
        assert_eq!(open(&[1; 32], &sealed).unwrap().as_slice(), b"secret");
        assert!(open(&[2; 32], &sealed).is_none());
        assert!(open(&[1; 32], &sealed[..10]).is_none());
        *sealed.last_mut().unwrap() ^= 1;
        assert!(open(&[1; 32], &sealed).is_none());
    }
}
