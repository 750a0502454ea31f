//! API keys that were good a moment ago: a publisher sends thousands of requests with the same one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{domain::Timestamp, store::ApiKey};

/// For so long a key works at most after it was revoked.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Far more than are in use within five seconds; beyond it, all are looked up again.
const AT_MOST: usize = 10_000;

/// By the hash of the key. Only good ones are remembered, so guesses find nothing here and fill nothing.
#[derive(Default)]
pub struct KeyRing(Mutex<HashMap<[u8; 32], Remembered>>);

struct Remembered {
    key: Arc<ApiKey>,
    until: Timestamp,
}

impl KeyRing {
    pub fn find(&self, hash: &[u8; 32], now: Timestamp) -> Option<Arc<ApiKey>> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = ring.get(hash).filter(|remembered| now < remembered.until)?;
        Some(Arc::clone(&found.key))
    }

    pub fn remember(&self, hash: [u8; 32], key: Arc<ApiKey>, now: Timestamp) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.len() >= AT_MOST {
            ring.clear();
        }
        let until = now.plus(REMEMBERED);
        ring.insert(hash, Remembered { key, until });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AccountId, ApiKeyId};

    const NOW: Timestamp = Timestamp::from_millis(1_795_435_200_000);

    fn key() -> Arc<ApiKey> {
        Arc::new(ApiKey {
            id: ApiKeyId::generate(NOW),
            account_id: AccountId::generate(NOW),
            name: "a".to_owned(),
            prefix: "ck_1234567".to_owned(),
            scopes: Vec::new(),
        })
    }

    #[test]
    fn a_key_is_forgotten_after_five_seconds() {
        let ring = KeyRing::default();
        let key = key();
        ring.remember([1; 32], Arc::clone(&key), NOW);
        assert_eq!(
            ring.find(&[1; 32], NOW.plus(Duration::from_millis(4_999))),
            Some(key)
        );
        assert_eq!(ring.find(&[1; 32], NOW.plus(REMEMBERED)), None);
        assert_eq!(ring.find(&[2; 32], NOW), None);
    }

    #[test]
    fn the_memory_for_keys_is_bounded() {
        let ring = KeyRing::default();
        let key = key();
        for n in 0..=AT_MOST {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_le_bytes());
            ring.remember(hash, Arc::clone(&key), NOW);
        }
        assert!(ring.0.lock().unwrap().len() <= AT_MOST);
    }
}
