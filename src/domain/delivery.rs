//! A delivery (one event for one webhook), its attempts, and how each may end.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{AttemptDetail, DeliveryId, EventId, EventType, Timestamp, WebhookId};

/// The state machine of a delivery.
///
/// ```text
///            ┌── resume ──┐
///            ▼            │
/// (new) → pending ─pause→ held
///            │ ├─ 2xx ────────────→ delivered
///            │ ├─ out of attempts → failed     (a resend makes it pending again)
///            │ └─ webhook deleted → cancelled
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum DeliveryStatus {
    /// An attempt is due, now or later.
    Pending,
    /// Its webhook is paused.
    Held,
    /// The receiver answered 2xx.
    Delivered,
    /// No attempt is left.
    Failed,
    /// Its webhook was deleted or disabled before it could be delivered, or what that held was dropped.
    Cancelled,
}

impl DeliveryStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One event for one webhook, as the log shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub webhook_name: String,
    pub webhook_deleted: bool,
    pub event_id: EventId,
    pub event_type: EventType,
    pub status: DeliveryStatus,
    /// How many attempts have ended.
    pub attempts: u32,
    pub created_at: Timestamp,
    /// When the next attempt is due, while the delivery is pending and none is under way.
    pub next_attempt_at: Option<Timestamp>,
    /// The outcome of the newest attempt.
    pub last_outcome: Option<Outcome>,
    pub updated_at: Timestamp,
}

/// One HTTP request of a delivery, with all that is on record of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    pub started_at: Timestamp,
    pub duration: Duration,
    pub outcome: Outcome,
    /// What exactly went wrong. An attempt with an answer has one if the body of the answer was broken.
    pub detail: Option<AttemptDetail>,
    /// The URL that was called: the webhook's may have changed since.
    pub url: String,
    pub request_headers: Vec<(String, String)>,
    pub response_headers: Vec<(String, String)>,
    /// The first bytes of the answer, decompressed.
    pub response_body: Vec<u8>,
    /// Whether there was more of it than is kept.
    pub response_truncated: bool,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered with this status code, and perhaps asked for patience.
    Answered {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// No answer.
    Failed(FailureReason),
}

impl Outcome {
    pub fn succeeded(self) -> bool {
        matches!(
            self,
            Self::Answered {
                status: 200..=299,
                ..
            }
        )
    }

    pub fn status_code(self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(status),
            Self::Failed(_) => None,
        }
    }
}

impl fmt::Display for Outcome {
    /// In a few words, as the lists show it: `200`, `Timed out`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(f, "{status}"),
            Self::Failed(reason) => f.write_str(reason.label()),
        }
    }
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum FailureReason {
    /// The guard refused the address.
    Blocked,
    /// The host's name did not resolve.
    Dns,
    /// No connection: refused, unreachable, reset while connecting.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The whole exchange did not end in time.
    Timeout,
    /// What came back was not HTTP, or the connection broke in the middle.
    Protocol,
    /// The webhook was deleted while the attempt was under way, and it was cut short.
    Cancelled,
}

impl FailureReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Blocked => "Address not allowed",
            Self::Dns => "Host not found",
            Self::Connect => "Could not connect",
            Self::Tls => "TLS failed",
            Self::Timeout => "Timed out",
            Self::Protocol => "Broken answer",
            Self::Cancelled => "Cancelled",
        }
    }
}
