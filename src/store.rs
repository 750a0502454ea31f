//! Persistence. Each method of [`Store`] is one operation in one transaction. Time is an argument.
//!
//! The public interface exposes no transactions, rows or SQL. The text of a [`StoreError`] is for operators, never for
//! users.

#[macro_use]
mod database;

mod acceptance;
mod api_keys;
mod assets;
mod audit;
mod claims;
mod cluster;
mod copy;
mod delivery_log;
mod error;
mod event_keys;
mod event_log;
mod filters;
mod invites;
mod keys;
mod migrations;
mod pagination;
mod people;
mod points;
mod recovery;
mod rows;
mod sealed;
mod search_key;
mod sessions;
mod sql;
mod submitted_forms;
mod webhooks;

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;

use crate::domain::{
    AccountId, Attempt, AttemptId, DeliveryId, DisabledReason, EventCursor, EventId, EventType, ProcessId,
    Timestamp, WebhookId,
};
use database::{Connection, Database, Purpose, Transaction, query};
use event_keys::EventKeys;
use points::Points;

pub use api_keys::{ApiKey, ApiKeyRow, KeyState, NewApiKey};
pub use assets::Asset;
pub use audit::{AuditChoices, AuditEvent, AuditFilter, AuditPage};
pub use cluster::{
    Cache, CacheKey, Heartbeat, Invalidation, InvalidationReason, JoinOutcome, Member, Notification, Renewal,
};
pub use copy::{CopyError, CopyProgress, copy};
pub use delivery_log::{AttemptRange, DeliveryDetail, DeliveryFilter, DeliveryPage, ResendOutcome};
pub use error::{Source, StoreError, Unique};
pub use event_log::{EventDetail, EventFilter, EventPage};
pub use filters::{EvaluatedFilter, Evaluation, FilteredWebhook, event_data, excluded_by};
pub use invites::{Invite, InviteOutcome, InviteToken, NewInvite, OpenInvite};
pub use keys::{ProcessRow, ResealedSecrets, SealedWithOtherKey, SecretReplacement};
pub use pagination::split_page;
pub use people::{AuditContext, LoginFailures, Person, UserChangeOutcome};
pub use points::Observer;
pub use recovery::{Recoverable, RecoveryPreview, RecoveryProgress, RecoveryRange, RecoveryStart};
pub use sealed::{Sealed, SealedSecrets};
pub use sessions::{SessionOwner, SessionRow, SessionUser, UserSession};
pub use submitted_forms::FormState;
pub use webhooks::{
    Change, DeleteOutcome, DeletedWebhook, Destination, DestinationState, HeldAction, HeldDeliveries,
    HourlyActivity, NewHeaders, NewWebhook, OpenDeliveries, UpdateOutcome, UpdateWebhook, WebhookFilter,
    WebhookPage,
};

/// The database of all accounts. Its methods are in `sql/`, one file per subject.
pub struct Store {
    database: Database,
    event_keys: EventKeys,
    /// Id of this process after it has joined the cluster.
    process: OnceLock<ProcessId>,
    points: Points,
}

/// Maximum time to close the database. Longer than SQLite waits for the locks of another process.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the database at `url` and applies missing migrations. Creates the SQLite file if it does not exist.
pub async fn open(url: &str) -> Result<Arc<Store>, StoreError> {
    Store::connect(url, Purpose::Create).await.map(Arc::new)
}

/// Like [`open`], for a server. Fails if another process serves this SQLite file.
pub async fn open_to_serve(url: &str) -> Result<Arc<Store>, StoreError> {
    Store::connect(url, Purpose::Serve).await.map(Arc::new)
}

/// Like [`open`], for a command beside a server. Fails if there is no database.
pub async fn open_existing(url: &str) -> Result<Arc<Store>, StoreError> {
    Store::connect(url, Purpose::Command).await.map(Arc::new)
}

impl Store {
    async fn connect(url: &str, purpose: Purpose) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(url, purpose).await?,
            event_keys: EventKeys::default(),
            process: OnceLock::new(),
            points: Points::default(),
        })
    }

    /// Closes the database. Later operations fail as unavailable. Afterwards, an SQLite file that this process served
    /// is complete without its write-ahead log, and another process can serve it.
    pub async fn close(&self) -> Result<(), StoreError> {
        let closed = tokio::time::timeout(CLOSE_TIMEOUT, self.database.close()).await;
        closed.unwrap_or_else(|_| Err(StoreError::unavailable("it is still in use")))
    }

    /// Returns some unused disk space to the file system. Returns whether there is more.
    pub async fn shrink(&self) -> Result<bool, StoreError> {
        self.database.shrink().await
    }

    /// Reports fail points to a test from now on.
    pub fn observe(&self, observer: Arc<dyn Observer>) {
        self.points.observe(observer);
    }

    async fn read(&self) -> Result<Connection, StoreError> {
        self.database.read().await
    }

    async fn snapshot(&self) -> Result<Transaction, StoreError> {
        self.database.snapshot().await
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        self.database.begin().await
    }

    async fn begin_unsynced(&self) -> Result<Transaction, StoreError> {
        self.database.begin_unsynced().await
    }

    /// Fails if the database is a read-only standby. Does not detect a disk that is full or read-only: only a write
    /// can.
    async fn require_writable(&self) -> Result<(), StoreError> {
        self.database.require_working()?;
        if self.is_shared() {
            let is_read_only: bool =
                query("select pg_is_in_recovery() or current_setting('transaction_read_only')::bool")
                    .fetch_one(&mut self.read().await?)
                    .await?;
            if is_read_only {
                return Err(StoreError::unavailable("the database is read-only"));
            }
        }
        Ok(())
    }
}

/// Read access to accounts, one at a time. The UI and the API hold this instead of a [`Store`], so that no request can
/// read the data of another account. Writes take the account from their [`Actor`](crate::domain::Actor).
#[derive(Clone)]
pub struct Accounts(Arc<Store>);

/// Read access to one account.
#[derive(Clone, Copy)]
pub struct AccountStore<'a> {
    store: &'a Store,
    account: &'a AccountId,
}

impl Accounts {
    pub fn new(store: Arc<Store>) -> Self {
        Self(store)
    }

    pub fn of<'a>(&'a self, account: &'a AccountId) -> AccountStore<'a> {
        self.0.of(account)
    }
}

impl Store {
    pub fn of<'a>(&'a self, account: &'a AccountId) -> AccountStore<'a> {
        AccountStore { store: self, account }
    }
}

/// Returns whether `url` is a PostgreSQL URL. Several processes can share such a database.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Name of the account in an installation with a single account.
pub const DEFAULT_ACCOUNT: &str = "default";

/// A batch of expired events to delete, oldest first.
#[derive(Debug)]
pub struct Retention<'a> {
    pub account: &'a AccountId,
    /// Events received earlier have expired.
    pub before: Timestamp,
    /// End of the previous batch.
    pub after: Option<EventCursor>,
    /// Maximum number of events.
    pub limit: usize,
    /// Now, for the audit log.
    pub at: Timestamp,
}

/// Result of deleting a batch.
#[derive(Debug)]
pub struct DeletedBatch {
    /// Number of deleted events.
    pub deleted: u64,
    /// End of this batch, or `None` if no expired events are left.
    pub next: Option<EventCursor>,
}

/// Limits for the deliveries that are leased when they are stored, which saves a separate claim. All others stay due.
#[derive(Clone, Copy)]
pub struct Leasing<'a> {
    pub lease: Duration,
    /// Maximum total.
    pub limit: usize,
    /// Returns the maximum for a webhook.
    pub capacity: &'a (dyn Fn(&WebhookId) -> usize + Send + Sync),
}

impl Leasing<'_> {
    /// Leases no deliveries.
    pub const NONE: Leasing<'static> = Leasing {
        lease: Duration::ZERO,
        limit: 0,
        capacity: &|_| 0,
    };
}

/// Result of [`Store::accept_events`].
#[derive(Debug)]
pub enum Acceptance {
    Stored(Accepted),
    /// Nothing was stored, because other filters of these accounts are in effect than those that were evaluated.
    OtherFilters(Vec<AccountId>),
}

#[derive(Debug)]
pub struct Accepted {
    /// One result per submission, in the same order.
    pub results: Vec<Result<Vec<AcceptedEvent>, ConflictingEvent>>,
    /// Leased deliveries.
    pub claimed: Vec<ClaimedDelivery>,
    /// Webhooks with new deliveries that are due but not leased.
    pub backlogged: BTreeSet<WebhookId>,
    /// Whether deliveries are missing that [`Store::advance_fan_outs`] stores.
    pub has_fan_outs: bool,
}

/// Events that are published by one request.
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
    /// SHA-256 of the published content. A retry has the same fingerprint.
    pub fingerprint: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedEvent {
    pub id: EventId,
    pub event_type: EventType,
    pub occurred_at: Timestamp,
    /// Number of deliveries created.
    pub deliveries: u32,
    /// Whether the event had already been accepted. The other fields are those of the first time.
    pub repeated: bool,
}

/// An event whose id or idempotency key belongs to a different event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictingEvent {
    /// Position in the submission.
    pub index: usize,
    /// Id of the event that was accepted first.
    pub id: EventId,
}

/// A request for due deliveries.
pub struct Claim<'a> {
    pub now: Timestamp,
    pub lease: Duration,
    /// Maximum total.
    pub limit: usize,
    /// Returns the maximum for a webhook.
    pub capacity: &'a (dyn Fn(&WebhookId) -> usize + Send + Sync),
    /// Claims from the webhooks after this one, by id. `None` starts with the first webhook.
    pub after: Option<WebhookId>,
}

/// Result of a claim.
#[derive(Debug)]
pub struct Claimed {
    pub deliveries: Vec<ClaimedDelivery>,
    /// Checked webhooks whose rate limit allowed fewer deliveries than their capacity.
    pub paced: HashSet<WebhookId>,
    /// Other checked webhooks that may have more due deliveries than their capacity allowed to claim.
    pub backlogged: HashSet<WebhookId>,
    /// The last webhook that was checked, or `None` if all webhooks after [`Claim::after`] were checked.
    pub last_webhook: Option<WebhookId>,
}

/// Unique id of a claim. An attempt updates its delivery only if the delivery still has this lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease([u8; 16]);

impl Lease {
    pub fn generate(now: Timestamp) -> Self {
        Self(DeliveryId::generate(now).to_key())
    }

    pub(in crate::store) fn to_key(&self) -> [u8; 16] {
        self.0
    }
}

#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub event_id: EventId,
    pub lease: Lease,
    /// Number of the next attempt, starting at 1.
    pub number: u32,
    /// Number of attempts before the delivery was last resent. Resending restarts the retry schedule.
    pub earlier_attempts: u32,
    pub payload: Bytes,
}

#[derive(Debug, Clone)]
pub struct RecordedAttempt {
    /// Makes recording idempotent, so that it can be retried when the outcome of a commit is unknown.
    pub id: AttemptId,
    pub delivery_id: DeliveryId,
    pub webhook_id: WebhookId,
    pub lease: Lease,
    pub attempt: Attempt,
    pub next: Next,
}

/// State of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Delivered,
    /// Becomes held instead if the webhook is paused when the attempt is recorded.
    RetryAt(Timestamp),
    Failed,
    /// Same as failed. Also disables the webhook and cancels its other open deliveries.
    DisableWebhook(DisabledReason),
    /// Aborted because the webhook was deleted.
    Cancelled,
}
