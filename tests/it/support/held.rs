//! The real store, which waits where a test wants it to: before or after one of its operations.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use caleida::{
    domain::{
        AccountId, Actor, ApiKeyId, DeliveryId, EventId, InviteId, Latencies, Origin, ProcessId, Recovery,
        RecoveryId, Role, SessionId, Timestamp, User, UserId, Webhook, WebhookId,
    },
    store::{
        Accepted, Act, Advanced, ApiKey, ApiKeyRow, ApiKeyStore, AuditChoices, AuditFilter, AuditPage,
        AuditStore, Change, Changed, Claim, Claimed, ClusterStore, Deed, DeliveryDetail, DeliveryFilter,
        DeliveryLogStore, DeliveryPage, DeliveryStore, Destination, EventDetail, EventFilter, EventLogStore,
        EventPage, EventStore, HandOff, Held, HourOfActivity, Invalidation, Invite, InviteStore, InviteToken,
        Invited, Joined, KeyStore, Lease, LifeSign, LoginFailures, Member, NewApiKey, NewInvite, NewWebhook,
        OpenDeliveries, OpenInvite, PeopleStore, Person, ProcessRow, RecordedAttempt, RecoveryPreview,
        RecoveryRange, RecoveryStore, Removed, Renewal, Resealed, Resent, Retention, Sealed, SealedOtherwise,
        SealedSecrets, SessionOwner, SessionRow, SessionStore, SessionUser, Signal, Started, Store,
        StoreError, Submission, Swept, UpdateWebhook, Updated, UserSession, WebhookFilter, WebhookPage,
        WebhookStore,
    },
};
use tokio::sync::watch;

use super::receiver::Gate;

/// On which side of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Before,
    After,
}

pub type Point = (&'static str, Side);

pub struct HeldStore {
    store: Arc<dyn Store>,
    holds: Mutex<HashMap<Point, Hold>>,
}

/// A point at which everybody waits until it is released. Clones are the same one.
#[derive(Clone)]
pub struct Hold {
    reached: Arc<watch::Sender<usize>>,
    gate: Gate,
}

impl Hold {
    pub fn new() -> Self {
        Self {
            reached: Arc::default(),
            gate: Gate::closed(),
        }
    }

    /// Waits until somebody waits here.
    pub async fn reached(&self) {
        let mut count = self.reached.subscribe();
        let reached = count.wait_for(|count| *count > 0);
        let _ = tokio::time::timeout(Duration::from_secs(10), reached)
            .await
            .expect("nobody came by");
    }

    pub fn release(&self) {
        self.gate.open();
    }

    pub async fn pass(&self) {
        self.reached.send_modify(|count| *count += 1);
        self.gate.passed().await;
    }
}

impl HeldStore {
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            holds: Mutex::default(),
        }
    }

    pub fn hold(&self, point: Point) -> Hold {
        let hold = Hold::new();
        self.holds.lock().unwrap().insert(point, hold.clone());
        hold
    }

    async fn pass(&self, operation: &'static str, side: Side) {
        let hold = self.holds.lock().unwrap().get(&(operation, side)).cloned();
        if let Some(hold) = hold {
            hold.pass().await;
        }
    }
}

macro_rules! held {
    ($trait:ident { $(fn $plain:ident(&self) -> $answer:ty;)* $(async fn $name:ident(&self $(, $argument:ident: $type:ty)*) -> $result:ty;)* }) => {
        #[async_trait]
        impl $trait for HeldStore {
            $(fn $plain(&self) -> $answer {
                self.store.$plain()
            })*
            $(async fn $name(&self $(, $argument: $type)*) -> $result {
                self.pass(stringify!($name), Side::Before).await;
                let result = self.store.$name($($argument),*).await;
                self.pass(stringify!($name), Side::After).await;
                result
            })*
        }
    };
}

held!(PeopleStore {
    async fn accounts(&self) -> Result<Vec<AccountId>, StoreError>;
    async fn ready(&self) -> Result<(), StoreError>;
    async fn ensure_account(&self, name: &str, now: Timestamp) -> Result<AccountId, StoreError>;
    async fn insert_user(&self, act: &Act, user: &User, password_hash: &str) -> Result<(), StoreError>;
    async fn users(&self) -> Result<Vec<Person>, StoreError>;
    async fn people(&self, account: &AccountId) -> Result<Vec<Person>, StoreError>;
    async fn person(&self, account: &AccountId, id: &UserId) -> Result<Option<Person>, StoreError>;
    async fn person_by_email(&self, email: &str) -> Result<Option<Person>, StoreError>;
    async fn user_by_email(&self, email: &str) -> Result<Option<(User, String)>, StoreError>;
    async fn change_role(&self, act: &Act, id: &UserId, role: Role) -> Result<Changed, StoreError>;
    async fn disable_user(&self, act: &Act, id: &UserId) -> Result<Changed, StoreError>;
    async fn enable_user(&self, act: &Act, id: &UserId) -> Result<Changed, StoreError>;
    async fn set_password(&self, act: &Act, id: &UserId, password_hash: &str, keep: Option<&[u8; 32]>) -> Result<bool, StoreError>;
    async fn login_failures(&self, key: &str, since: Timestamp) -> Result<LoginFailures, StoreError>;
    async fn record_login_failure(&self, email: &str, origin: Origin, keys: &[String], now: Timestamp, keep_since: Timestamp) -> Result<(), StoreError>;
    async fn clear_login_failures(&self, key: &str) -> Result<(), StoreError>;
});

held!(InviteStore {
    async fn insert_invite(&self, act: &Act, invite: &NewInvite) -> Result<Invited, StoreError>;
    async fn invites(&self, account: &AccountId) -> Result<Vec<Invite>, StoreError>;
    async fn renew_invite(&self, act: &Act, id: &InviteId, token: InviteToken) -> Result<Option<Invite>, StoreError>;
    async fn revoke_invite(&self, act: &Act, id: &InviteId) -> Result<Option<Invite>, StoreError>;
    async fn open_invite(&self, token_hash: &[u8; 32], now: Timestamp) -> Result<Option<OpenInvite>, StoreError>;
    async fn accept_invite(&self, token_hash: &[u8; 32], id: &UserId, password_hash: &str, origin: Origin, now: Timestamp) -> Result<Option<User>, StoreError>;
});

held!(SessionStore {
    async fn create_session(&self, session: &SessionRow, owner: Option<&SessionOwner>, now: Timestamp) -> Result<bool, StoreError>;
    async fn save_session(&self, session: &SessionRow) -> Result<(), StoreError>;
    async fn session(&self, id_hash: &[u8; 32], now: Timestamp) -> Result<Option<SessionRow>, StoreError>;
    async fn delete_session(&self, id_hash: &[u8; 32]) -> Result<(), StoreError>;
    async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;
    async fn record_sign_in(&self, user: &User, password_hash: &str, origin: Origin, now: Timestamp) -> Result<bool, StoreError>;
    async fn session_user(&self, id_hash: &[u8; 32], now: Timestamp) -> Result<Option<SessionUser>, StoreError>;
    async fn touch_session(&self, id_hash: &[u8; 32], address: &str, now: Timestamp) -> Result<(), StoreError>;
    async fn user_sessions(&self, user: &UserId, now: Timestamp) -> Result<Vec<UserSession>, StoreError>;
    async fn end_session(&self, act: &Act, user: &UserId, id: &SessionId) -> Result<bool, StoreError>;
    async fn end_other_sessions(&self, act: &Act, user: &UserId, keep: &[u8; 32]) -> Result<u64, StoreError>;
});

held!(ApiKeyStore {
    async fn insert_api_key(&self, key: &NewApiKey) -> Result<(), StoreError>;
    async fn api_key_by_hash(&self, hash: &[u8; 32]) -> Result<Option<ApiKey>, StoreError>;
    async fn api_keys(&self, account: &AccountId) -> Result<Vec<ApiKeyRow>, StoreError>;
    async fn api_key(&self, account: &AccountId, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError>;
    async fn revoke_api_key(&self, actor: &Actor, id: &ApiKeyId, at: Timestamp) -> Result<Option<ApiKeyRow>, StoreError>;
    async fn record_api_key_uses(&self, uses: &[(ApiKeyId, Timestamp)]) -> Result<(), StoreError>;
});

held!(AuditStore {
    async fn record_deed(&self, deed: &Deed) -> Result<(), StoreError>;
    async fn audit_log(&self, account: &AccountId, filter: &AuditFilter) -> Result<AuditPage, StoreError>;
    async fn audit_choices(&self, account: &AccountId) -> Result<AuditChoices, StoreError>;
});

held!(WebhookStore {
    async fn insert_webhook(&self, webhook: NewWebhook) -> Result<Webhook, StoreError>;
    async fn webhook(&self, account: &AccountId, id: &WebhookId) -> Result<Option<Webhook>, StoreError>;
    async fn list_webhooks(&self, account: &AccountId, filter: &WebhookFilter) -> Result<WebhookPage, StoreError>;
    async fn update_webhook(&self, update: UpdateWebhook) -> Result<Updated, StoreError>;
    async fn pause_webhook(&self, change: &Change) -> Result<Option<Webhook>, StoreError>;
    async fn resume_webhook(&self, change: &Change, held: Held) -> Result<Option<Webhook>, StoreError>;
    async fn rotate_secret(&self, change: &Change, secret: Sealed, previous_until: Timestamp) -> Result<Option<Webhook>, StoreError>;
    async fn delete_webhook(&self, change: &Change, based_on: Option<i64>) -> Result<Removed, StoreError>;
    async fn sealed_secrets(&self, account: &AccountId, id: &WebhookId) -> Result<Option<SealedSecrets>, StoreError>;
    async fn destination(&self, id: &WebhookId) -> Result<Option<Destination>, StoreError>;
    async fn webhook_activity(&self, ids: &[WebhookId], since: Timestamp) -> Result<Vec<HourOfActivity>, StoreError>;
    async fn master_key_ids(&self) -> Result<Vec<String>, StoreError>;
    async fn webhook_latencies(&self, id: &WebhookId, since: Timestamp) -> Result<Latencies, StoreError>;
    async fn delete_old_statistics(&self, before: Timestamp) -> Result<(), StoreError>;
    async fn webhook_names(&self, account: &AccountId) -> Result<Vec<(WebhookId, String)>, StoreError>;
    async fn open_deliveries(&self, account: &AccountId, id: &WebhookId) -> Result<OpenDeliveries, StoreError>;
    async fn held_deliveries(&self, ids: &[WebhookId]) -> Result<Vec<(WebhookId, u64)>, StoreError>;
});

held!(EventStore {
    async fn delete_old_events(&self, retention: Retention<'_>) -> Result<Swept, StoreError>;
    async fn accept_events(&self, submissions: &[Submission], now: Timestamp, hand_off: HandOff<'_>) -> Result<Accepted, StoreError>;
});

held!(DeliveryStore {
    async fn claim_due(&self, claim: Claim<'_>) -> Result<Claimed, StoreError>;
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;
    async fn count_pending(&self, limit: u64) -> Result<u64, StoreError>;
    async fn recover_leases(&self, now: Timestamp, longest: Duration) -> Result<u64, StoreError>;
    async fn release(&self, leases: &[(DeliveryId, Lease)], at: Timestamp) -> Result<(), StoreError>;
    async fn record_attempts(&self, attempts: &[RecordedAttempt]) -> Result<Vec<WebhookId>, StoreError>;
});

held!(DeliveryLogStore {
    async fn list_deliveries(&self, account: &AccountId, filter: &DeliveryFilter) -> Result<DeliveryPage, StoreError>;
    async fn delivery(&self, account: &AccountId, id: &DeliveryId) -> Result<Option<DeliveryDetail>, StoreError>;
    async fn resend_delivery(&self, actor: &Actor, id: &DeliveryId, at: Timestamp) -> Result<Option<Resent>, StoreError>;
});

held!(EventLogStore {
    async fn list_events(&self, account: &AccountId, filter: &EventFilter) -> Result<EventPage, StoreError>;
    async fn event(&self, account: &AccountId, id: &EventId) -> Result<Option<EventDetail>, StoreError>;
});

held!(ClusterStore {
    fn is_shared(&self) -> bool;
    async fn join(&self, member: &Member) -> Result<Joined, StoreError>;
    async fn renew(&self, id: &ProcessId) -> Result<Option<Renewal>, StoreError>;
    async fn invalidations(&self, id: &ProcessId) -> Result<Vec<Invalidation>, StoreError>;
    async fn acknowledge(&self, acted_upon: &[Invalidation]) -> Result<(), StoreError>;
    async fn is_known_to_all(&self, webhook: &WebhookId) -> Result<bool, StoreError>;
    async fn is_revocation_known_to_all(&self, key: &ApiKeyId) -> Result<bool, StoreError>;
    async fn evict(&self, last: &LifeSign) -> Result<bool, StoreError>;
    async fn leave(&self, id: &ProcessId) -> Result<(), StoreError>;
    async fn call_others(&self) -> Result<(), StoreError>;
    async fn next_signal(&self) -> Result<Signal, StoreError>;
});

held!(RecoveryStore {
    async fn preview_recovery(&self, account: &AccountId, webhook: &WebhookId, wanted: RecoveryRange) -> Result<RecoveryPreview, StoreError>;
    async fn start_recovery(&self, id: &RecoveryId, change: &Change, wanted: RecoveryRange) -> Result<Started, StoreError>;
    async fn recoveries(&self, account: &AccountId, webhook: &WebhookId, before: Option<&RecoveryId>, limit: u32) -> Result<Vec<Recovery>, StoreError>;
    async fn recovery(&self, account: &AccountId, webhook: &WebhookId, id: &RecoveryId) -> Result<Option<Recovery>, StoreError>;
    async fn cancel_recovery(&self, id: &RecoveryId, change: &Change) -> Result<bool, StoreError>;
    async fn running_recoveries(&self) -> Result<Vec<RecoveryId>, StoreError>;
    async fn advance_recovery(&self, id: &RecoveryId, now: Timestamp) -> Result<Advanced, StoreError>;
});

held!(KeyStore {
    async fn sealed_otherwise(&self, key_id: &str, after: Option<&WebhookId>, limit: u32) -> Result<Vec<SealedOtherwise>, StoreError>;
    async fn reseal(&self, resealed: &[Resealed]) -> Result<u64, StoreError>;
    async fn processes(&self) -> Result<Vec<ProcessRow>, StoreError>;
});
