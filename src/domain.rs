//! The words of the product as types. No I/O and no clock; everything here also compiles for the browser.
//!
//! Parse, don't validate: a [`EndpointUrl`], a [`WebhookName`] or a [`Secret`] cannot be wrong, because its only
//! constructor is `parse`, and the text a person sees when it fails stands beside it.

pub mod actor;
pub mod api_key;
pub mod audit;
pub mod delivery;
pub mod detail;
pub mod error;
pub mod event;
pub mod event_outcome;
pub mod failing;
pub mod id;
pub mod latency;
pub mod place;
pub mod recovery;
pub mod remedy;
pub mod retry;
pub mod secret;
pub mod signature;
pub mod time;
pub mod user;
pub mod webhook;

pub use actor::{Actor, Origin, Principal};
pub use audit::{AuditAction, AuditEntry, AuditPlace};
pub use delivery::{Attempt, Delivery, DeliveryStatus, FailureReason, Outcome};
pub use detail::{AttemptDetail, TlsTrouble};
pub use error::{Field, FieldErrors};
pub use event::{EventType, EventTypes};
pub use event_outcome::{EventOutcome, NotSent, ReceivedEvent};
#[cfg(feature = "ssr")]
pub use id::random_uuid;
pub use id::{
    AccountId, ApiKeyId, AttemptId, AuditId, DeliveryId, EventId, InviteId, ProcessId, RecoveryId, SessionId,
    UserId, WebhookId,
};
pub use latency::Latencies;
pub use place::Place;
pub use recovery::{Recovery, RecoveryScope, RecoveryState};
pub use retry::{RetrySchedule, Verdict};
pub use secret::Secret;
pub use time::{Clock, Timestamp};
pub use user::{Email, InvalidEmail, Role, User};
pub use webhook::{
    DisabledReason, EndpointUrl, Transport, Webhook, WebhookName, WebhookSettings, WebhookStatus,
};
