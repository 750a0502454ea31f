//! The processes that share one database: which of them live, and what each has yet to hear of.

use std::time::Instant;

use strum::{EnumString, IntoStaticStr};

use crate::domain::{ApiKeyId, ProcessId, Timestamp, WebhookId};

/// A process as the others know it.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: ProcessId,
    pub role: &'static str,
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
    pub id: i64,
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
