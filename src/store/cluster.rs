//! Members, heartbeats and invalidations of the processes that share a database.

use std::time::Instant;

use strum::{EnumString, IntoStaticStr};

use crate::domain::{ApiKeyId, ProcessId, Timestamp, WebhookId};

/// Registration of a process.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: ProcessId,
    pub role: &'static str,
    /// Id of the master key that it encrypts with.
    pub master_key_id: String,
    /// Ids of all master keys that it can decrypt with, including `master_key_id`.
    pub decryption_key_ids: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinOutcome {
    Joined,
    /// Rejected. This process cannot decrypt the secrets that these processes encrypt, or they cannot decrypt its
    /// secrets.
    KeyMismatch(Vec<Heartbeat>),
}

/// Heartbeat counter of a process. A process missed its heartbeat if the counter is unchanged between two reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub process: ProcessId,
    pub heartbeats: i64,
}

/// Result of a heartbeat.
#[derive(Debug, Clone)]
pub struct Renewal {
    /// Time of the database server.
    pub now: Timestamp,
    /// Heartbeats of the other processes.
    pub others: Vec<Heartbeat>,
}

/// A stale cache entry of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalidation {
    pub id: i64,
    pub key: CacheKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheKey {
    Webhook(WebhookId, InvalidationReason),
    /// A revoked API key.
    ApiKey(ApiKeyId),
}

/// A cache of data from the database.
pub trait Cache: Send + Sync {
    /// Removes a stale entry.
    fn invalidate(&self, key: &CacheKey);
    /// Removes all entries, because invalidations may have been missed.
    fn invalidate_all(&self);
    /// Extends the validity of all entries. Until `deadline`, this process cannot be evicted, so other processes wait
    /// for its acknowledgement before they report a change as done.
    fn valid_until(&self, deadline: Instant);
}

/// Change of a webhook that makes its cache entries stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum InvalidationReason {
    /// The webhook is read again before the next attempt.
    Edited,
    /// Same as edited. The receiver is first probed with a single attempt.
    Resumed,
    /// Attempts in flight are aborted.
    Deleted,
}

impl InvalidationReason {
    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Notification from another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notification {
    /// There may be invalidations.
    Invalidations,
    /// There may be due deliveries.
    Due,
    /// The connection is new, so notifications may have been missed.
    Missed,
}
