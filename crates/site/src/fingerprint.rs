//! Names that change with what they name, so that a browser may keep the file for ever.

use sha2::{Digest, Sha256};

/// The first 64 bits of SHA-256 over the parts together, in hex: 16 characters.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length first, or moving a byte from one part to the next would go unseen.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn it_is_sixteen_hex_digits_that_change_with_any_part() {
        let name = fingerprint(&[b"script", b"wasm"]);
        assert_eq!(name.len(), 16);
        assert!(name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(name, fingerprint(&[b"script", b"wasm"]));
        assert_ne!(name, fingerprint(&[b"script", b"wasm2"]));
        assert_ne!(name, fingerprint(&[b"scriptw", b"asm"]));
    }
}
