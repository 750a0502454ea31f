//! Members, heartbeats and invalidations of the processes that share a database.

use std::time::Instant;

use strum::{EnumString, IntoStaticStr};

use crate::domain::{ApiKeyId, ProcessId, Timestamp, WebhookId};

/// A process, as it registers itself.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: ProcessId,
    pub role: &'static str,
    /// Id of the master key that it encrypts with.
    pub master_key_id: String,
    /// Ids of all master keys that it can decrypt with.
    pub opens: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    Yes,
    /// Rejected: these processes use a master key that this one does not have, or the reverse.
    OtherKey(Vec<Heartbeat>),
}

/// Heartbeat counter of a process. Unchanged between two reads: the process missed its heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub process: ProcessId,
    pub heartbeats: i64,
}

#[derive(Debug, Clone)]
pub struct Renewal {
    /// Time of the database server.
    pub now: Timestamp,
    pub others: Vec<Heartbeat>,
}

/// A cache entry of one process that is stale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalidation {
    pub id: i64,
    pub what: Stale,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    Webhook(WebhookId, Invalidated),
    /// It was revoked.
    ApiKey(ApiKeyId),
}

/// A cache of data from the database.
pub trait Cache: Send + Sync {
    /// Removes an entry that is stale.
    fn invalidate(&self, what: &Stale);
    /// Removes all entries: the process missed invalidations.
    fn invalidate_all(&self);
    /// All entries are valid until then, unless an invalidation arrives: until this process can be evicted, other processes
    /// wait for it before they report a change as done.
    fn valid_until(&self, moment: Instant);
}

/// How a process reacts to the change of a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Invalidated {
    /// Read the webhook again before the next attempt.
    Edited,
    /// The same, and probe its receiver with one attempt.
    Resumed,
    /// Abort the attempts in flight.
    Deleted,
}

impl Invalidated {
    pub(super) fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// There may be invalidations.
    Changed,
    /// There may be something to send.
    Due,
    /// Signals may have been missed: the connection is new.
    Missed,
}
