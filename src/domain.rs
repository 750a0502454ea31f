//! Domain types. They use no I/O and no clock, and also compile for the browser.
//!
//! Parse, don't validate: an [`EndpointUrl`], a [`WebhookName`] or a [`Secret`] is always valid, because it is created
//! by `parse`. The error type of each parser contains the message for users.

pub mod actor;
pub mod api_key;
pub mod audit;
#[cfg(feature = "ssr")]
pub mod custom_header;
pub mod delivery;
pub mod delivery_settings;
pub mod detail;
pub mod endpoint_url;
pub mod error;
pub mod event;
pub mod event_cursor;
pub mod event_outcome;
#[cfg(feature = "ssr")]
pub mod filter;
pub mod health;
pub mod id;
#[cfg(feature = "ssr")]
pub mod json_text;
pub mod latency;
#[cfg(feature = "ssr")]
pub mod pace;
pub mod public_url;
pub mod recovery;
pub mod remedy;
pub mod retry;
pub mod secret;
pub mod signature;
pub mod text;
pub mod time;
#[cfg(feature = "ssr")]
pub mod url_visibility;
pub mod user;
pub mod webhook;
#[cfg(feature = "ssr")]
pub mod webhook_draft;
pub mod webhook_name;
#[cfg(feature = "ssr")]
pub mod webhook_settings;

pub use actor::{Actor, Origin, Principal};
pub use audit::{AuditAction, AuditCursor, AuditDetails, AuditEntry};
pub use delivery::{Attempt, Delivery, DeliveryStatus, FailureReason, Outcome};
pub use detail::{AttemptDetail, TlsProblem};
pub use endpoint_url::{EndpointUrl, Transport};
pub use error::{Field, FieldErrors};
pub use event::{EventType, EventTypes};
pub use event_cursor::EventCursor;
pub use event_outcome::{EventOutcome, NotSent, ReceivedEvent};
#[cfg(feature = "ssr")]
pub use id::random_uuid;
pub use id::{
    AccountId, ApiKeyId, AttemptId, AuditId, DeliveryId, EventId, InviteId, ProcessId, RecoveryId, SessionId,
    UserId, WebhookId,
};
pub use latency::Latencies;
pub use public_url::PublicUrl;
pub use recovery::{Recovery, RecoveryScope, RecoveryState};
pub use retry::{RetrySchedule, Verdict};
pub use secret::Secret;
pub use time::{Clock, Timestamp};
#[cfg(feature = "ssr")]
pub use url_visibility::UrlVisibility;
pub use user::{Email, InvalidEmail, Role, User};
#[cfg(feature = "ssr")]
pub use webhook::Webhook;
pub use webhook::{DisabledReason, WebhookStatus};
#[cfg(feature = "ssr")]
pub use webhook_draft::WebhookDraft;
pub use webhook_name::WebhookName;
#[cfg(feature = "ssr")]
pub use webhook_settings::{WebhookOptions, WebhookSettings};
