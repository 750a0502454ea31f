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
mod error;
mod invites;
mod keys;
mod log;
mod migrations;
mod people;
mod postgres;
mod recovery;
mod rows;
mod sessions;
mod sqlite;

use std::{borrow::Cow, collections::HashSet, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::domain::{
    AccountId, Actor, Attempt, AttemptId, DeliveryId, DisabledReason, EndpointUrl, EventId, EventType,
    Latencies, Origin, Place, Timestamp, Webhook, WebhookId, WebhookSettings, WebhookStatus,
};

pub use api_keys::{ApiKey, ApiKeyRow, ApiKeyStore, KeyState, NewApiKey};
pub use audit::{AuditChoices, AuditFilter, AuditPage, AuditStore, Deed};
pub use cluster::{
    ClusterStore, Invalidated, Invalidation, Joined, LifeSign, Member, Memory, Renewal, Signal, Stale,
};
pub use copy::{CopyError, CopyProgress, copy};
pub use error::StoreError;
pub use invites::{Invite, InviteStore, InviteToken, Invited, NewInvite, OpenInvite};
pub use keys::{KeyStore, ProcessRow, Replaced, Resealed, Sealed, SealedOtherwise, SealedSecrets};
pub use log::{
    DeliveryDetail, DeliveryFilter, DeliveryPage, EventDetail, EventFilter, EventPage, LogStore, Resent,
};
pub use people::{Act, Changed, LoginFailures, PeopleStore, Person};
pub use recovery::{Advanced, Recoverable, RecoveryPreview, RecoveryRange, RecoveryStore, Started};
pub use sessions::{SessionOwner, SessionRow, SessionStore, SessionUser, UserSession};

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
    + LogStore
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
        + LogStore
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

/// Webhooks and their secrets. Every change is written to the audit log in the same transaction.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// [`StoreError::Conflict`] if the name is taken, [`StoreError::Full`] if the account has enough.
    async fn insert_webhook(&self, webhook: NewWebhook) -> Result<Webhook, StoreError>;
    async fn webhook(&self, account: &AccountId, id: &WebhookId) -> Result<Option<Webhook>, StoreError>;
    /// Newest first.
    async fn list_webhooks(
        &self,
        account: &AccountId,
        filter: &WebhookFilter,
    ) -> Result<WebhookPage, StoreError>;
    async fn update_webhook(&self, update: UpdateWebhook) -> Result<Updated, StoreError>;
    /// Holds the open deliveries; one that is being sent is held only if that attempt fails. `None`: no such webhook.
    async fn pause_webhook(&self, change: &Change) -> Result<Option<Webhook>, StoreError>;
    /// Makes it active again, whatever stopped it, and what was held due at once, or cancels that. `None`: no such
    /// webhook.
    async fn resume_webhook(&self, change: &Change, held: Held) -> Result<Option<Webhook>, StoreError>;
    /// Makes `secret` the current one; the one before signs too until `previous_until`. `None`: no such webhook.
    async fn rotate_secret(
        &self,
        change: &Change,
        secret: Sealed,
        previous_until: Timestamp,
    ) -> Result<Option<Webhook>, StoreError>;
    /// Erases the secrets, frees the name and cancels every open delivery. `None`: no such webhook.
    async fn delete_webhook(&self, change: &Change, based_on: Option<i64>) -> Result<Removed, StoreError>;

    async fn sealed_secrets(
        &self,
        account: &AccountId,
        id: &WebhookId,
    ) -> Result<Option<SealedSecrets>, StoreError>;
    /// What an attempt needs to know, as of now. `None` once deleted.
    async fn destination(&self, id: &WebhookId) -> Result<Option<Destination>, StoreError>;
    /// Attempts by hour since then, for each of these webhooks.
    async fn webhook_activity(
        &self,
        ids: &[WebhookId],
        since: Timestamp,
    ) -> Result<Vec<HourOfActivity>, StoreError>;
    /// How long receivers took to answer since then, all together.
    async fn webhook_latencies(&self, id: &WebhookId, since: Timestamp) -> Result<Latencies, StoreError>;
    /// Forgets what was counted by the hour before then.
    async fn delete_old_statistics(&self, before: Timestamp) -> Result<(), StoreError>;
    /// The master keys with which secrets are sealed.
    async fn master_key_ids(&self) -> Result<Vec<String>, StoreError>;
    /// By name. The oldest thousand of an account that has more.
    async fn webhook_names(&self, account: &AccountId) -> Result<Vec<(WebhookId, String)>, StoreError>;
    /// How many deliveries are pending or held.
    async fn open_deliveries(
        &self,
        account: &AccountId,
        id: &WebhookId,
    ) -> Result<OpenDeliveries, StoreError>;
    /// How many each of these webhooks holds, no further than one beyond [`OpenDeliveries::COUNTED`]; those that hold
    /// none are left out.
    async fn held_deliveries(&self, ids: &[WebhookId]) -> Result<Vec<(WebhookId, u64)>, StoreError>;
}

/// Deliveries of a webhook that are still to be sent; both together are counted no further than one beyond
/// [`OpenDeliveries::COUNTED`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenDeliveries {
    pub pending: u64,
    pub held: u64,
}

impl OpenDeliveries {
    pub const COUNTED: u64 = 10_000;
}

/// What becomes of the deliveries that a paused webhook holds, when it is resumed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Held {
    #[default]
    Send,
    /// They are cancelled, and stay on record.
    Drop,
}

/// Who changes which webhook, from where, and when.
#[derive(Debug, Clone)]
pub struct Change {
    pub account_id: AccountId,
    pub webhook_id: WebhookId,
    /// An email, or an API key's name.
    pub by: String,
    pub from: Origin,
    pub at: Timestamp,
}

impl Change {
    pub fn new(actor: &Actor, webhook_id: WebhookId, at: Timestamp) -> Self {
        Self {
            account_id: actor.account_id.clone(),
            webhook_id,
            by: actor.name.clone(),
            from: actor.origin,
            at,
        }
    }

    /// What it is to the audit log.
    fn deed(&self, action: impl Into<Cow<'static, str>>) -> Deed {
        let actor = Actor {
            account_id: self.account_id.clone(),
            name: self.by.clone(),
            origin: self.from,
        };
        Deed::new(&actor, action, self.webhook_id.as_str(), self.at)
    }
}

#[derive(Debug, Clone)]
pub struct NewWebhook {
    pub change: Change,
    pub settings: WebhookSettings,
    pub secret: Sealed,
    /// How many the account may have, this one included.
    pub at_most: u32,
}

#[derive(Debug, Clone)]
pub struct UpdateWebhook {
    pub change: Change,
    pub settings: WebhookSettings,
    /// Replaces the current secret at once, without an overlap.
    pub secret: Option<Sealed>,
    /// The version that the change was made on; `None` overwrites whatever is there.
    pub based_on: Option<i64>,
}

/// What became of an update.
#[derive(Debug, Clone)]
pub enum Updated {
    Saved(Box<Webhook>),
    /// Somebody saved it since; this is what it is now.
    Stale(Box<Webhook>),
    NameTaken,
    NotFound,
}

#[derive(Debug)]
pub enum Removed {
    Done(Deleted),
    /// Somebody saved it since; this is what it is now.
    Stale(Box<Webhook>),
    NotFound,
}

#[derive(Debug, Clone)]
pub struct Deleted {
    pub name: String,
    pub cancelled: u64,
}

/// What an attempt needs to know of its webhook.
#[derive(Debug, Clone)]
pub struct Destination {
    pub url: EndpointUrl,
    pub state: DestinationState,
    pub secrets: SealedSecrets,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationState {
    Active,
    Paused,
    Disabled,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookFilter {
    /// Part of the name or the URL, in any case.
    pub search: Option<String>,
    pub event_type: Option<EventType>,
    pub status: Option<WebhookStatus>,
    /// Only those older than this one; the counts are of all.
    pub before: Option<WebhookId>,
    /// 0 for the first,
    pub page: u32,
    /// of so many each.
    pub limit: u32,
}

impl Default for WebhookFilter {
    fn default() -> Self {
        Self {
            search: None,
            event_type: None,
            status: None,
            before: None,
            page: 0,
            limit: Self::PAGE_SIZE,
        }
    }
}

impl WebhookFilter {
    pub const PAGE_SIZE: u32 = 50;
}

#[derive(Debug, Clone)]
pub struct WebhookPage {
    pub webhooks: Vec<Webhook>,
    /// How many match the filter.
    pub matching: u64,
    /// How many the account has.
    pub total: u64,
}

/// The attempts of one webhook in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourOfActivity {
    pub webhook_id: WebhookId,
    pub hour: Timestamp,
    pub succeeded: u32,
    pub failed: u32,
}

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
