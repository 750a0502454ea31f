//! Where everything is kept. One method is one operation is one transaction, named as a verb; time is an argument.
//!
//! The traits say what the product needs, the adapters how a database does it. No transaction, row or SQL crosses this
//! border, and an [`StoreError`] never carries a database's words to a user.

#[macro_use]
mod from_row;

mod acceptance;
mod api_keys;
mod audit;
mod claims;
mod cluster;
mod copy;
mod delivery_log;
mod error;
mod event_log;
mod invites;
mod keys;
mod migrations;
mod pagination;
mod people;
mod postgres;
mod recovery;
mod rows;
mod sealed;
mod sessions;
mod sqlite;
mod webhooks;

use std::{collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use crate::domain::{
    AccountId, Attempt, AttemptId, DeliveryId, DisabledReason, EventId, EventType, Place, Timestamp,
    WebhookId,
};

pub use api_keys::{ApiKey, ApiKeyRow, ApiKeyStore, KeyState, NewApiKey};
pub use audit::{AuditChoices, AuditFilter, AuditPage, AuditStore, Deed};
pub use cluster::{
    ClusterStore, Invalidated, Invalidation, Joined, LifeSign, Member, Memory, Renewal, Signal, Stale,
};
pub use copy::{CopyError, CopyProgress, copy};
pub use delivery_log::{DeliveryDetail, DeliveryFilter, DeliveryLogStore, DeliveryPage, Resent};
pub use error::StoreError;
pub use event_log::{EventDetail, EventFilter, EventLogStore, EventPage};
pub use invites::{Invite, InviteStore, InviteToken, Invited, NewInvite, OpenInvite};
pub use keys::{KeyStore, ProcessRow, Replaced, Resealed, SealedOtherwise};
pub use people::{Act, Changed, LoginFailures, PeopleStore, Person};
pub use recovery::{Advanced, Recoverable, RecoveryPreview, RecoveryRange, RecoveryStore, Started};
pub use sealed::{Sealed, SealedSecrets};
pub use sessions::{SessionOwner, SessionRow, SessionStore, SessionUser, UserSession};
pub use webhooks::{
    Change, Deleted, Destination, DestinationState, Held, HourOfActivity, NewWebhook, OpenDeliveries,
    Removed, UpdateWebhook, Updated, WebhookFilter, WebhookPage, WebhookStore,
};

/// All of it, shared by everyone who reads or writes.
pub trait Store:
    PeopleStore
    + InviteStore
    + SessionStore
    + ApiKeyStore
    + AuditStore
    + WebhookStore
    + EventStore
    + DeliveryStore
    + DeliveryLogStore
    + EventLogStore
    + RecoveryStore
    + ClusterStore
    + KeyStore
{
}

impl<T> Store for T where
    T: PeopleStore
        + InviteStore
        + SessionStore
        + ApiKeyStore
        + AuditStore
        + WebhookStore
        + EventStore
        + DeliveryStore
        + DeliveryLogStore
        + EventLogStore
        + RecoveryStore
        + ClusterStore
        + KeyStore
{
}

/// Opens the database that `url` names, creates it if it is an SQLite file that does not exist, and applies the
/// migrations that it lacks.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    if is_postgres(url) {
        Ok(Arc::new(postgres::PostgresStore::open(url).await?))
    } else {
        Ok(Arc::new(sqlite::SqliteStore::open(url).await?))
    }
}

/// Whether `url` names a PostgreSQL database, which other processes may share.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The account of a product that has only one.
pub const DEFAULT_ACCOUNT: &str = "default";

/// Events coming in.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Stores the events together with a delivery for every webhook that wants them, in one transaction for all.
    ///
    /// Each submission stands or falls as a whole, on its own.
    async fn accept_events(
        &self,
        submissions: &[Submission],
        now: Timestamp,
        hand_off: HandOff<'_>,
    ) -> Result<Accepted, StoreError>;
    /// Deletes events with their deliveries and attempts, oldest first, except those of which something is still to be
    /// sent.
    async fn delete_old_events(&self, retention: Retention<'_>) -> Result<Swept, StoreError>;
}

/// Which events may go.
#[derive(Debug)]
pub struct Retention<'a> {
    pub account: &'a AccountId,
    /// Those received earlier,
    pub before: Timestamp,
    /// later than where the last batch ended,
    pub after: Option<Place>,
    /// and of these so many, oldest first.
    pub limit: usize,
}

#[derive(Debug)]
pub struct Swept {
    /// How many events were deleted.
    pub deleted: u64,
    /// Where to go on; `None` if there are no more.
    pub until: Option<Place>,
}

/// New deliveries may be leased by the insert that stores them, which saves their claim.
pub struct HandOff<'a> {
    pub lease: Duration,
    /// Asked for each delivery that could be sent at once: whether the caller takes it.
    pub wanted: &'a mut (dyn FnMut(&WebhookId) -> bool + Send + Sync),
}

#[derive(Debug)]
pub struct Accepted {
    /// In the order of the submissions.
    pub answers: Vec<Result<Vec<AcceptedEvent>, ConflictingEvent>>,
    /// What was handed off, in the order in which it was asked for.
    pub claimed: Vec<ClaimedDelivery>,
}

/// What one request publishes.
#[derive(Debug, Clone)]
pub struct Submission {
    pub account_id: AccountId,
    pub events: Vec<NewEvent>,
}

#[derive(Debug, Clone)]
pub struct NewEvent {
    pub id: EventId,
    pub idempotency_key: Option<String>,
    pub event_type: EventType,
    pub occurred_at: Timestamp,
    /// The exact bytes to sign and send.
    pub payload: Bytes,
    /// SHA-256 of what was published, the same for a repetition.
    pub fingerprint: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedEvent {
    pub id: EventId,
    pub event_type: EventType,
    pub occurred_at: Timestamp,
    /// How many webhooks it goes to.
    pub deliveries: u32,
    /// Whether the same event was accepted before; then this is the first answer.
    pub repeated: bool,
}

/// An event whose id or idempotency key already stands for another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictingEvent {
    /// Its place in the submission.
    pub index: usize,
    pub id: EventId,
}

/// Deliveries going out.
#[async_trait]
pub trait DeliveryStore: Send + Sync {
    /// Takes what is due, under a lease: webhook by webhook, of each what is due longest.
    async fn claim_due(&self, claim: Claim<'_>) -> Result<Claimed, StoreError>;
    /// When the next pending delivery is due, if there is one.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;
    /// How many deliveries are pending, in all accounts; counted no further than `limit`.
    async fn count_pending(&self, limit: u64) -> Result<u64, StoreError>;
    /// At the start of a process: takes back the leases that one before it has left, if this database cannot have
    /// other processes that still hold them. Otherwise they lapse. Answers how many.
    async fn recover_leases(&self, now: Timestamp, longest: Duration) -> Result<u64, StoreError>;
    /// Gives leases back: due at `at`, or held if the webhook is paused.
    async fn release(&self, leases: &[(DeliveryId, Lease)], at: Timestamp) -> Result<(), StoreError>;
    /// Appends attempts and moves their deliveries on, in one transaction.
    ///
    /// An attempt whose lease has lapsed is still put on record, but moves nothing: a newer claim decides. A webhook that
    /// has failed for too long is disabled. Answers which webhooks were, or may have been.
    ///
    /// The same attempts again change nothing: after a lost connection nobody knows whether they were committed.
    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<Vec<WebhookId>, StoreError>;
}

pub struct Claim<'a> {
    pub now: Timestamp,
    pub lease: Duration,
    /// At most so many in all.
    pub limit: usize,
    /// At most so many of this webhook.
    pub room: &'a (dyn Fn(&WebhookId) -> usize + Send + Sync),
    /// Whose turn it was last: those that sort after it are next. `None` begins with the first.
    pub after: Option<WebhookId>,
}

#[derive(Debug)]
pub struct Claimed {
    pub deliveries: Vec<ClaimedDelivery>,
    /// Of those whose turn it was: who may have more due, because there was no room for it.
    pub unfinished: HashSet<WebhookId>,
    /// Whose turn it was last. `None`: all had theirs.
    pub until: Option<WebhookId>,
}

/// Names a claim, and no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease(pub String);

#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    pub lease: Lease,
    /// Of the attempt to make; 1 for the first.
    pub number: u32,
    /// How many attempts were made before it was last resent: the schedule began anew after them.
    pub earlier_attempts: u32,
    pub payload: Bytes,
}

#[derive(Debug, Clone)]
pub struct RecordedAttempt {
    /// Recording it again under the same id, because nobody knows whether the first time was the last, changes nothing.
    pub id: AttemptId,
    pub delivery_id: DeliveryId,
    pub webhook_id: WebhookId,
    pub lease: Lease,
    pub attempt: Attempt,
    pub next: Next,
}

/// Where an attempt leaves its delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Delivered,
    /// Held instead, if the webhook is paused by then.
    RetryAt(Timestamp),
    Failed,
    /// As failed; also disables the webhook and cancels what else was open for it.
    DisableWebhook(DisabledReason),
    /// Cut short, because the webhook was deleted.
    Cancelled,
}
