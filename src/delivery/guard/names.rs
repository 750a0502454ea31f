//! Host names to addresses, remembered for half a minute.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{sync::OnceCell, time::Instant};

/// How long an answer is used. Short enough that moving a receiver needs no patience.
pub(super) const REMEMBERED: Duration = Duration::from_secs(30);

/// How many names are remembered; the oldest gives way.
pub(super) const CAPACITY: usize = 1024;

/// Asks for the addresses of a name. The system does it; tests give answers of their own.
#[async_trait]
pub trait Lookup: Send + Sync + 'static {
    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError>;
}

/// Why there are no addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LookupError {
    /// The name does not exist, or has no address.
    NotFound,
    /// Nobody could say: the name service failed or did not answer.
    Unavailable,
}

/// The system's own lookup: its hosts file, then its name servers.
pub(super) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        match tokio::net::lookup_host((name, 0)).await {
            Ok(addresses) => Ok(addresses.map(|address| address.ip()).collect()),
            Err(error) => Err(judge(&error)),
        }
    }
}

/// The names looked up lately.
pub(super) struct Names {
    lookup: Box<dyn Lookup>,
    entries: Mutex<HashMap<String, Arc<Entry>>>,
}

struct Entry {
    asked_at: Instant,
    answer: OnceCell<Result<Arc<[IpAddr]>, LookupError>>,
}

impl Names {
    pub(super) fn new(lookup: impl Lookup) -> Self {
        Self {
            lookup: Box::new(lookup),
            entries: Mutex::default(),
        }
    }

    /// The addresses of a name, at least one.
    ///
    /// Who asks while a lookup of the same name is under way waits for that one: a receiver with a slow name server
    /// occupies one thread of the system's lookup, not all of them. A failure goes to those who waited for it, and is
    /// not remembered.
    pub(super) async fn addresses(&self, name: &str) -> Result<Arc<[IpAddr]>, LookupError> {
        let entry = self.entry(name);
        let ask = async {
            let addresses = self.lookup.lookup(name).await?;
            if addresses.is_empty() {
                Err(LookupError::NotFound)
            } else {
                Ok(addresses.into())
            }
        };
        entry.answer.get_or_init(|| ask).await.clone()
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
                .min_by_key(|(_, entry)| entry.asked_at)
                .map(|(name, _)| name.clone());
            oldest.and_then(|name| entries.remove(&name));
        }
        let entry = Arc::new(Entry {
            asked_at: now,
            answer: OnceCell::new(),
        });
        entries.insert(name.to_owned(), Arc::clone(&entry));
        entry
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.entries.lock().unwrap().len()
    }
}

impl Entry {
    fn is_usable(&self, now: Instant) -> bool {
        match self.answer.get() {
            // Under way, or given up by all who waited; whoever comes next asks again.
            None => true,
            Some(Ok(_)) => now.duration_since(self.asked_at) < REMEMBERED,
            Some(Err(_)) => false,
        }
    }
}

/// The standard library keeps the code of a failed lookup to itself; what is left is the text of the C library.
fn judge(error: &io::Error) -> LookupError {
    let text = error.to_string();
    // glibc twice, musl, macOS and the BSDs.
    let not_found = [
        "Name or service not known",
        "No address associated",
        "Name does not resolve",
        "nodename nor servname",
    ];
    if not_found.iter().any(|known| text.contains(known)) {
        LookupError::NotFound
    } else {
        LookupError::Unavailable
    }
}
