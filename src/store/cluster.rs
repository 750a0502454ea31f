//! The processes that share one database: which of them live, and what each has yet to hear of.

use std::time::Instant;

use async_trait::async_trait;
use strum::{EnumString, IntoStaticStr};

use super::StoreError;
use crate::domain::{ApiKeyId, ProcessId, Timestamp, WebhookId};

/// An embedded database has one process: it is never told of anything, and never waits for anybody.
///
/// Every change of a webhook, and every revocation of a key, leaves an [`Invalidation`] for each other process, in the same transaction. Whoever made the
/// change answers it when none of them is left: each was acted upon, or its process was evicted.
#[async_trait]
pub trait ClusterStore: Send + Sync {
    /// Whether other processes may use this database.
    fn is_shared(&self) -> bool;
    /// From here on, changes wait for this process.
    async fn join(&self, member: &Member) -> Result<Joined, StoreError>;
    /// Says that this process lives, and asks for the others. `None`: it was evicted, and has to join again.
    async fn renew(&self, id: &ProcessId) -> Result<Option<Renewal>, StoreError>;
    /// What this process has yet to act upon.
    async fn invalidations(&self, id: &ProcessId) -> Result<Vec<Invalidation>, StoreError>;
    /// Says that it has.
    async fn acknowledge(&self, acted_upon: &[Invalidation]) -> Result<(), StoreError>;
    /// Whether every process has heard of the last change of that webhook.
    async fn is_known_to_all(&self, webhook: &WebhookId) -> Result<bool, StoreError>;
    /// Whether every process has heard that the key was revoked.
    async fn is_revocation_known_to_all(&self, key: &ApiKeyId) -> Result<bool, StoreError>;
    /// Waits no longer for a process, unless it has given a sign of life since that one. False if it has.
    async fn evict(&self, last: &LifeSign) -> Result<bool, StoreError>;
    async fn leave(&self, id: &ProcessId) -> Result<(), StoreError>;
    /// Tells the others that there is more to send than this process can.
    async fn call_others(&self) -> Result<(), StoreError>;
    /// Waits for what the others have to say. An error: nothing is heard at this moment, try again.
    async fn next_signal(&self) -> Result<Signal, StoreError>;
}

/// A process as the others know it.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: ProcessId,
    pub role: &'static str,
    pub version: &'static str,
    /// With which it seals.
    pub master_key_id: String,
    /// Those that it can open, that one included.
    pub opens: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    Yes,
    /// No: these processes seal what this one could not open, or the other way round.
    OtherKey(Vec<LifeSign>),
}

/// The same one again means that the process has not renewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeSign {
    pub process: ProcessId,
    pub renewals: i64,
}

#[derive(Debug, Clone)]
pub struct Renewal {
    /// What the database's clock says, by which all its processes go.
    pub now: Timestamp,
    pub others: Vec<LifeSign>,
}

/// Something in a process's memory that is no longer so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalidation {
    pub id: String,
    pub what: Stale,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stale {
    Webhook(WebhookId, Invalidated),
    /// It was revoked.
    ApiKey(ApiKeyId),
}

/// A part of this process that remembers what the database says.
pub trait Memory: Send + Sync {
    /// That is no longer so.
    fn forget(&self, what: &Stale);
    /// Perhaps nothing is: this process was not among the others for a while.
    fn forget_all(&self);
    /// From that moment on the others need not have waited for this process; until then, whatever they changed and it
    /// was not told of is not answered yet.
    fn trust_until(&self, moment: Instant);
}

/// What was done to a webhook, as far as a process has to act differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Invalidated {
    /// Read it again before the next attempt.
    Edited,
    /// The same, and begin with one attempt.
    Resumed,
    /// Cut short what is under way.
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
    /// Both may have been said unheard: this is the first word, or the first after a loss of the connection.
    Missed,
}
