//! Cache of API keys: a publisher sends thousands of requests with the same key.
//!
//! A revocation returns only once every process has removed the key from its cache. A process that has missed its
//! heartbeats must not use its cache, because the others no longer wait for it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    domain::{ApiKeyId, Timestamp},
    store::{ApiKey, Cache, CacheKey},
};

/// Time that a key stays cached. On SQLite, where the command line cannot invalidate the server's cache, a revoked key
/// works for at most this long.
pub const KEY_CACHE_TTL: Duration = Duration::from_secs(5);

/// Maximum number of cached keys. Beyond it, the cache is cleared.
const MAX_KEYS: usize = 10_000;

#[derive(Default)]
pub struct KeyCache {
    entries: Mutex<Entries>,
    uses: Mutex<HashMap<ApiKeyId, Arc<AtomicI64>>>,
}

#[derive(Default)]
struct Entries {
    /// Valid keys by their hash. Unknown keys are not cached, so guesses cannot fill the cache.
    keys: HashMap<[u8; 32], CachedKey>,
    /// Number of invalidations. A key loaded before an invalidation must not be inserted after it.
    generation: u64,
    /// `None`: indefinitely, because no other process changes the database.
    valid_until: Option<Instant>,
}

struct CachedKey {
    key: Arc<ApiKey>,
    expires_at: Timestamp,
    /// Last use, in milliseconds. 0 if it has been saved to the database.
    last_use: Arc<AtomicI64>,
}

/// State of the cache, taken before a key is loaded from the database.
pub struct Generation(u64);

impl KeyCache {
    /// Returns the key if it is cached and valid, and notes its use.
    pub fn find(&self, hash: &[u8; 32], now: Timestamp) -> Option<Arc<ApiKey>> {
        let entries = self.entries();
        if entries.valid_until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        let found = entries.keys.get(hash)?;
        if found.expires_at <= now || found.key.has_expired(now) {
            return None;
        }
        found.last_use.store(now.as_millis(), Ordering::Relaxed);
        Some(Arc::clone(&found.key))
    }

    pub fn generation(&self) -> Generation {
        Generation(self.entries().generation)
    }

    /// Caches a key loaded from the database, unless the cache was invalidated since, and notes its use.
    pub fn insert(
        &self,
        hash: [u8; 32],
        key: Arc<ApiKey>,
        now: Timestamp,
        Generation(generation): Generation,
    ) {
        let last_use = Arc::clone(self.uses().entry(key.id.clone()).or_default());
        last_use.store(now.as_millis(), Ordering::Relaxed);
        let mut entries = self.entries();
        if entries.generation != generation {
            return;
        }
        if entries.keys.len() >= MAX_KEYS {
            entries.keys.clear();
        }
        let cached = CachedKey {
            key,
            expires_at: now.plus(KEY_CACHE_TTL),
            last_use,
        };
        entries.keys.insert(hash, cached);
    }

    /// Returns the keys used since the previous call, with their last use.
    pub fn take_uses(&self) -> Vec<(ApiKeyId, Timestamp)> {
        let mut uses = self.uses();
        let taken = uses.iter().filter_map(|(id, last_use)| {
            let at = last_use.swap(0, Ordering::Relaxed);
            (at > 0).then(|| (id.clone(), Timestamp::from_millis(at)))
        });
        let taken = taken.collect();
        uses.retain(|_, last_use| Arc::strong_count(last_use) > 1);
        taken
    }

    /// Restores uses that failed to be saved, so that the next call of [`Self::take_uses`] returns them again.
    pub fn restore_uses(&self, taken: &[(ApiKeyId, Timestamp)]) {
        let mut uses = self.uses();
        for (id, at) in taken {
            let last_use = uses.entry(id.clone()).or_default();
            last_use.fetch_max(at.as_millis(), Ordering::Relaxed);
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Arc<AtomicI64>>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache for KeyCache {
    fn invalidate(&self, key: &CacheKey) {
        if let CacheKey::ApiKey(id) = key {
            let mut entries = self.entries();
            entries.generation += 1;
            entries.keys.retain(|_, cached| cached.key.id != *id);
        }
    }

    fn invalidate_all(&self) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.keys.clear();
    }

    fn valid_until(&self, deadline: Instant) {
        self.entries().valid_until = Some(deadline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::AccountId;

    const NOW: Timestamp = Timestamp::from_millis(1_795_435_200_000);
    const HASH: [u8; 32] = [1; 32];

    fn key() -> Arc<ApiKey> {
        Arc::new(ApiKey {
            id: ApiKeyId::generate(NOW),
            account_id: AccountId::generate(NOW),
            name: "a".to_owned(),
            prefix: "ck_1234567".to_owned(),
            scopes: Vec::new(),
            expires_at: None,
        })
    }

    fn cache_with(key: &Arc<ApiKey>) -> KeyCache {
        let cache = KeyCache::default();
        cache.insert(HASH, Arc::clone(key), NOW, cache.generation());
        cache
    }

    fn later(millis: u64) -> Timestamp {
        NOW.plus(Duration::from_millis(millis))
    }

    #[test]
    fn key_is_evicted_after_five_seconds() {
        let key = key();
        let cache = cache_with(&key);
        assert_eq!(cache.find(&HASH, later(4_999)), Some(key));
        assert_eq!(cache.find(&HASH, NOW.plus(KEY_CACHE_TTL)), None);
        assert_eq!(cache.find(&[2; 32], NOW), None);
    }

    #[test]
    fn cached_key_is_valid_until_it_expires() {
        let key = Arc::new(ApiKey {
            expires_at: Some(later(1_000)),
            ..ApiKey::clone(&key())
        });
        let cache = cache_with(&key);
        assert_eq!(cache.find(&HASH, later(999)), Some(key));
        assert_eq!(cache.find(&HASH, later(1_000)), None);
    }

    #[test]
    fn revoked_key_is_evicted_and_not_inserted_again() {
        let key = key();
        let cache = cache_with(&key);
        let generation = cache.generation();
        cache.invalidate(&CacheKey::ApiKey(key.id.clone()));
        assert_eq!(cache.find(&HASH, NOW), None);
        cache.insert(HASH, key, NOW, generation);
        assert_eq!(cache.find(&HASH, NOW), None, "loaded before the revocation");
    }

    #[test]
    fn evicted_process_ignores_its_cache() {
        let key = key();
        let cache = cache_with(&key);
        cache.valid_until(Instant::now() + Duration::from_secs(3_600));
        assert_eq!(cache.find(&HASH, NOW), Some(Arc::clone(&key)));
        cache.valid_until(Instant::now());
        assert_eq!(cache.find(&HASH, NOW), None);
        // Rejoining clears the cache.
        cache.invalidate_all();
        cache.valid_until(Instant::now() + Duration::from_secs(3_600));
        assert_eq!(cache.find(&HASH, NOW), None);
    }

    #[test]
    fn last_use_is_taken_once_unless_restored() {
        let key = key();
        let cache = cache_with(&key);
        cache.find(&HASH, later(7)).unwrap();
        let used = vec![(key.id.clone(), later(7))];
        assert_eq!(cache.take_uses(), used);
        assert_eq!(cache.take_uses(), []);
        cache.restore_uses(&used);
        assert_eq!(cache.take_uses(), used);
        cache.find(&HASH, later(9)).unwrap();
        cache.invalidate(&CacheKey::ApiKey(key.id.clone()));
        assert_eq!(
            cache.take_uses(),
            [(key.id.clone(), later(9))],
            "also for an evicted key"
        );
        assert!(cache.uses().is_empty());
    }

    #[test]
    fn cache_size_is_bounded() {
        let cache = KeyCache::default();
        let key = key();
        for n in 0..=MAX_KEYS {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_le_bytes());
            cache.insert(hash, Arc::clone(&key), NOW, cache.generation());
        }
        assert!(cache.entries().keys.len() <= MAX_KEYS);
    }
}
