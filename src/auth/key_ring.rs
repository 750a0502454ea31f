//! API keys that were good a moment ago: a publisher sends thousands of requests with the same one.
//!
//! A key that is revoked is forgotten by every process before that is answered. A process that is not heard of must not
//! go by its memory: the others cease to wait for it.

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
    store::{ApiKey, Cache, Stale},
};

/// For so long a key works at most after a command has revoked it in a database that the server has for itself: nothing
/// there tells one process of another.
pub const REMEMBERED: Duration = Duration::from_secs(5);

/// Far more than are in use within five seconds; beyond it, all are looked up again.
const AT_MOST: usize = 10_000;

#[derive(Default)]
pub struct KeyRing {
    known: Mutex<Known>,
    uses: Mutex<HashMap<ApiKeyId, Arc<AtomicI64>>>,
}

/// By the hash of the key. Only good ones are remembered, so guesses find nothing here and fill nothing.
#[derive(Default)]
struct Known {
    keys: HashMap<[u8; 32], Remembered>,
    /// Counts what was forgotten, so that what was read before is not remembered after it.
    generation: u64,
    /// `None`: for good, since nobody else changes anything.
    trusted_until: Option<Instant>,
}

struct Remembered {
    key: Arc<ApiKey>,
    until: Timestamp,
    /// When it was last used, in milliseconds; written to the database now and then.
    used: Arc<AtomicI64>,
}

/// Taken before a key is looked up.
pub struct Lookup(u64);

impl KeyRing {
    /// The key, if it is known to be good at this moment; then it is used.
    pub fn find(&self, hash: &[u8; 32], now: Timestamp) -> Option<Arc<ApiKey>> {
        let known = self.known();
        if known.trusted_until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        let found = known.keys.get(hash)?;
        if found.until <= now || found.key.has_expired(now) {
            return None;
        }
        found.used.store(now.as_millis(), Ordering::Relaxed);
        Some(Arc::clone(&found.key))
    }

    pub fn look_up(&self) -> Lookup {
        Lookup(self.known().generation)
    }

    /// Takes note of a key that was found, and of its use.
    pub fn remember(&self, hash: [u8; 32], key: Arc<ApiKey>, now: Timestamp, Lookup(generation): Lookup) {
        let used = Arc::clone(self.uses().entry(key.id.clone()).or_default());
        used.store(now.as_millis(), Ordering::Relaxed);
        let mut known = self.known();
        if known.generation != generation {
            return;
        }
        if known.keys.len() >= AT_MOST {
            known.keys.clear();
        }
        let until = now.plus(REMEMBERED);
        known.keys.insert(hash, Remembered { key, until, used });
    }

    /// What was used since the last time this was asked.
    pub fn take_uses(&self) -> Vec<(ApiKeyId, Timestamp)> {
        let mut uses = self.uses();
        let taken = uses.iter().filter_map(|(id, used)| {
            let at = used.swap(0, Ordering::Relaxed);
            (at > 0).then(|| (id.clone(), Timestamp::from_millis(at)))
        });
        let taken = taken.collect();
        uses.retain(|_, used| Arc::strong_count(used) > 1);
        taken
    }

    /// It could not be written down: another time.
    pub fn put_back(&self, taken: &[(ApiKeyId, Timestamp)]) {
        let mut uses = self.uses();
        for (id, at) in taken {
            let used = uses.entry(id.clone()).or_default();
            used.fetch_max(at.as_millis(), Ordering::Relaxed);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<ApiKeyId, Arc<AtomicI64>>> {
        self.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache for KeyRing {
    fn invalidate(&self, what: &Stale) {
        if let Stale::ApiKey(id) = what {
            let mut known = self.known();
            known.generation += 1;
            known.keys.retain(|_, remembered| remembered.key.id != *id);
        }
    }

    fn invalidate_all(&self) {
        let mut known = self.known();
        known.generation += 1;
        known.keys.clear();
    }

    fn valid_until(&self, moment: Instant) {
        self.known().trusted_until = Some(moment);
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

    fn ring_with(key: &Arc<ApiKey>) -> KeyRing {
        let ring = KeyRing::default();
        ring.remember(HASH, Arc::clone(key), NOW, ring.look_up());
        ring
    }

    fn later(millis: u64) -> Timestamp {
        NOW.plus(Duration::from_millis(millis))
    }

    #[test]
    fn a_key_is_forgotten_after_five_seconds() {
        let key = key();
        let ring = ring_with(&key);
        assert_eq!(ring.find(&HASH, later(4_999)), Some(key));
        assert_eq!(ring.find(&HASH, NOW.plus(REMEMBERED)), None);
        assert_eq!(ring.find(&[2; 32], NOW), None);
    }

    #[test]
    fn a_key_that_expires_while_it_is_remembered_is_good_until_that_millisecond() {
        let key = Arc::new(ApiKey {
            expires_at: Some(later(1_000)),
            ..ApiKey::clone(&key())
        });
        let ring = ring_with(&key);
        assert_eq!(ring.find(&HASH, later(999)), Some(key));
        assert_eq!(ring.find(&HASH, later(1_000)), None);
    }

    #[test]
    fn a_revoked_key_is_forgotten_and_not_remembered_by_who_read_it_before() {
        let key = key();
        let ring = ring_with(&key);
        let lookup = ring.look_up();
        ring.invalidate(&Stale::ApiKey(key.id.clone()));
        assert_eq!(ring.find(&HASH, NOW), None);
        ring.remember(HASH, key, NOW, lookup);
        assert_eq!(ring.find(&HASH, NOW), None, "it was read before the revocation");
    }

    #[test]
    fn a_process_that_is_not_heard_of_goes_by_nothing_that_it_remembers() {
        let key = key();
        let ring = ring_with(&key);
        ring.valid_until(Instant::now() + Duration::from_secs(3_600));
        assert_eq!(ring.find(&HASH, NOW), Some(Arc::clone(&key)));
        ring.valid_until(Instant::now());
        assert_eq!(ring.find(&HASH, NOW), None);
        // One of them again, it has everything to learn anew.
        ring.invalidate_all();
        ring.valid_until(Instant::now() + Duration::from_secs(3_600));
        assert_eq!(ring.find(&HASH, NOW), None);
    }

    #[test]
    fn the_last_use_is_told_once_and_again_if_it_could_not_be_written_down() {
        let key = key();
        let ring = ring_with(&key);
        ring.find(&HASH, later(7)).unwrap();
        let used = vec![(key.id.clone(), later(7))];
        assert_eq!(ring.take_uses(), used);
        assert_eq!(ring.take_uses(), []);
        ring.put_back(&used);
        assert_eq!(ring.take_uses(), used);
        ring.find(&HASH, later(9)).unwrap();
        ring.invalidate(&Stale::ApiKey(key.id.clone()));
        assert_eq!(
            ring.take_uses(),
            [(key.id.clone(), later(9))],
            "though it is forgotten"
        );
        assert!(ring.uses().is_empty());
    }

    #[test]
    fn the_memory_for_keys_is_bounded() {
        let ring = KeyRing::default();
        let key = key();
        for n in 0..=AT_MOST {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&n.to_le_bytes());
            ring.remember(hash, Arc::clone(&key), NOW, ring.look_up());
        }
        assert!(ring.known().keys.len() <= AT_MOST);
    }
}
