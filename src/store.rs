//! Where everything is kept. One method is one operation is one transaction, named as a verb; time is an argument.
//!
//! No transaction, row or SQL crosses this border, and a [`StoreError`] never carries a database's words to a user.

#[macro_use]
mod database;

mod acceptance;
mod api_keys;
mod audit;
mod claims;
mod cluster;
mod copy;
mod delivery_log;
mod error;
mod event_keys;
mod event_log;
mod invites;
mod keys;
mod migrations;
mod pagination;
mod people;
mod points;
mod recovery;
mod rows;
mod sealed;
mod sessions;
mod sql;
mod webhooks;

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;

use crate::domain::{
    AccountId, Attempt, AttemptId, DeliveryId, DisabledReason, EventId, EventType, Place, ProcessId,
    Timestamp, WebhookId,
};
use database::{Connection, Database, Transaction, query};
use event_keys::EventKeys;
use points::Points;

pub use api_keys::{ApiKey, ApiKeyRow, KeyState, NewApiKey};
pub use audit::{AuditChoices, AuditEvent, AuditFilter, AuditPage};
pub use cluster::{Cache, Heartbeat, Invalidated, Invalidation, Joined, Member, Renewal, Signal, Stale};
pub use copy::{CopyError, CopyProgress, copy};
pub use delivery_log::{DeliveryDetail, DeliveryFilter, DeliveryPage, Resent};
pub use error::{Source, StoreError, Unique};
pub use event_log::{EventDetail, EventFilter, EventPage};
pub use invites::{Invite, InviteToken, Invited, NewInvite, OpenInvite};
pub use keys::{ProcessRow, Replaced, Resealed, SealedOtherwise};
pub use people::{AuditContext, Changed, LoginFailures, Person};
pub use points::Observer;
pub use recovery::{Advanced, Recoverable, RecoveryPreview, RecoveryRange, Started};
pub use sealed::{Sealed, SealedSecrets};
pub use sessions::{SessionOwner, SessionRow, SessionUser, UserSession};
pub use webhooks::{
    Change, Deleted, Destination, DestinationState, Held, HourOfActivity, NewWebhook, OpenDeliveries,
    Removed, UpdateWebhook, Updated, WebhookFilter, WebhookPage,
};

/// All of it, shared by everyone who reads or writes. Its methods are in `sql/`, in a file for each subject.
pub struct Store {
    database: Database,
    event_keys: EventKeys,
    /// This one, once it has joined the others.
    process: OnceLock<ProcessId>,
    points: Points,
}

/// Opens the database that `url` names, creates it if it is an SQLite file that does not exist, and applies the
/// migrations that it lacks.
pub async fn open(url: &str) -> Result<Arc<Store>, StoreError> {
    Store::connect(url).await.map(Arc::new)
}

impl Store {
    async fn connect(url: &str) -> Result<Self, StoreError> {
        Ok(Self {
            database: Database::open(url).await?,
            event_keys: EventKeys::default(),
            process: OnceLock::new(),
            points: Points::default(),
        })
    }

    /// Reports to a test what is reached from here on.
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

    /// A standby answers as well, but takes nothing. A disk that is read-only, or full, shows only when something is
    /// written.
    async fn require_writable(&self) -> Result<(), StoreError> {
        self.database.require_working()?;
        if self.is_shared() {
            let is_read_only: bool =
                query("select pg_is_in_recovery() or current_setting('transaction_read_only')::bool")
                    .fetch_one(&mut self.read().await?)
                    .await?;
            if is_read_only {
                return Err(StoreError::unavailable("it is read-only"));
            }
        }
        Ok(())
    }
}

/// The data of all accounts, one account at a time. The UI and the API hold this instead of a [`Store`], so that no
/// request reads what belongs to another account. Changes name the account by their [`Actor`](crate::domain::Actor).
#[derive(Clone)]
pub struct Accounts(Arc<Store>);

/// The data of one account.
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

/// Whether `url` names a PostgreSQL database, which other processes may share.
pub fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The account of a product that has only one.
pub const DEFAULT_ACCOUNT: &str = "default";

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

/// Which new deliveries are leased by the insert that stores them, which saves their claim. The rest stays due.
#[derive(Clone, Copy)]
pub struct Leasing<'a> {
    pub lease: Duration,
    /// The most in all.
    pub limit: usize,
    /// The most of each webhook.
    pub room: &'a (dyn Fn(&WebhookId) -> usize + Send + Sync),
}

impl Leasing<'_> {
    /// None of them.
    pub const NONE: Leasing<'static> = Leasing {
        lease: Duration::ZERO,
        limit: 0,
        room: &|_| 0,
    };
}

#[derive(Debug)]
pub struct Accepted {
    /// In the order of the submissions.
    pub answers: Vec<Result<Vec<AcceptedEvent>, ConflictingEvent>>,
    /// The deliveries that are leased.
    pub claimed: Vec<ClaimedDelivery>,
    /// Webhooks with deliveries that are due and not leased.
    pub behind: BTreeSet<WebhookId>,
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
