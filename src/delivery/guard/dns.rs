//! DNS lookups with a cache. Concurrent lookups of the same name share one query.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::OnceCell, time::Instant};

/// Lifetime of a cached lookup. Short, so that a receiver that moves is soon found.
pub(super) const CACHE_TTL: Duration = Duration::from_secs(30);

/// Maximum number of cached names. When the cache is full, the oldest name is evicted.
pub(super) const CAPACITY: usize = 1024;

/// Resolver of host names. Tests have their own implementations.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError>;
}

/// Reason a lookup returned no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupError {
    /// The name does not exist, or has no address.
    NotFound,
    /// The lookup failed or timed out.
    Unavailable,
}

/// Lookup with the system's resolver.
pub(super) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        match tokio::net::lookup_host((name, 0)).await {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            Err(error) => Err(classify(&error)),
        }
    }
}

/// Cache of recent lookups.
pub(super) struct DnsCache {
    lookup: Box<dyn Lookup>,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

/// A lookup that is in progress or finished.
struct Entry {
    started_at: Instant,
    answer: OnceCell<Result<Arc<[IpAddr]>, LookupError>>,
}

impl DnsCache {
    pub(super) fn new(lookup: impl Lookup) -> Self {
        Self {
            lookup: Box::new(lookup),
            entries: Mutex::default(),
        }
    }

    /// Returns the addresses of a name, at least one.
    ///
    /// Concurrent lookups of the same name share one query, so a slow name server occupies only one thread of the
    /// system's resolver. A failure is returned to all callers that waited for it, and is not cached.
    pub(super) async fn addresses(&self, name: &str) -> Result<Arc<[IpAddr]>, LookupError> {
        let entry = self.entry(name);
        let lookup = async {
            let addresses = self.lookup.lookup(name).await?;
            if addresses.is_empty() {
                Err(LookupError::NotFound)
            } else {
                Ok(addresses.into())
            }
        };
        entry.answer.get_or_init(|| lookup).await.clone()
    }

    fn entry(&self, name: &str) -> Arc<Entry> {
        let now = Instant::now();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get(name).filter(|entry| entry.is_usable(now)) {
            return Arc::clone(entry);
        }
        if entries.len() >= CAPACITY {
            entries.retain(|_, entry| entry.is_usable(now));
        }
        if entries.len() >= CAPACITY {
            let oldest = entries
                .iter()
                .min_by_key(|(_, entry)| entry.started_at)
                .map(|(name, _)| name.clone());
            oldest.and_then(|name| entries.remove(&name));
        }
        let entry = Arc::new(Entry {
            started_at: now,
            answer: OnceCell::new(),
        });
        entries.insert(name.to_owned(), Arc::clone(&entry));
        entry
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.lock().unwrap().len()
    }
}

impl Entry {
    fn is_usable(&self, now: Instant) -> bool {
        match self.answer.get() {
            // In progress, or cancelled by all callers. In that case the next caller starts it again.
            None => true,
            Some(Ok(_)) => now.duration_since(self.started_at) < CACHE_TTL,
            Some(Err(_)) => false,
        }
    }
}

/// Classifies a failed lookup by its message, because the standard library does not expose the error code.
fn classify(error: &io::Error) -> LookupError {
    let text = error.to_string();
    // Messages of glibc (two), musl, and macOS and the BSDs.
    let not_found = [
        "Name or service not known",
        "No address associated",
        "Name does not resolve",
        "nodename nor servname",
    ];
    if not_found.iter().any(|message| text.contains(message)) {
        LookupError::NotFound
    } else {
        LookupError::Unavailable
    }
}
