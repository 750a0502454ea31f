//! Fingerprints of file contents. They are part of the file names, so that browsers can cache the files indefinitely.

use sha2::{Digest, Sha256};

/// Returns the first 64 bits of the SHA-256 of all parts, as 16 hex digits.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Without the length, moving a byte from one part to the next would not change the hash.
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
    fn fingerprint_changes_with_each_part() {
        let name = fingerprint(&[b"script", b"wasm"]);
        assert_eq!(name.len(), 16);
        assert!(name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(name, fingerprint(&[b"script", b"wasm"]));
        assert_ne!(name, fingerprint(&[b"script", b"wasm2"]));
        assert_ne!(name, fingerprint(&[b"scriptw", b"asm"]));
    }
}
