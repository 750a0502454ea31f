//! Deliveries (one event for one webhook), their attempts, and the possible outcomes.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

#[cfg(feature = "ssr")]
use super::UrlVisibility;
use super::{AttemptDetail, DeliveryId, EndpointUrl, EventId, EventType, Timestamp, WebhookId};

/// State of a delivery.
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
    /// An attempt is due now or later.
    Pending,
    /// The webhook is paused.
    Held,
    /// The receiver responded with 2xx.
    Delivered,
    /// All attempts have failed.
    Failed,
    /// The webhook was deleted or disabled before the delivery succeeded, or its held deliveries were dropped.
    Cancelled,
}

impl DeliveryStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Delivery of one event to one webhook, as the delivery log shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook_id: WebhookId,
    pub webhook_name: String,
    pub webhook_deleted: bool,
    pub event_id: EventId,
    pub event_type: EventType,
    pub status: DeliveryStatus,
    /// Number of finished attempts.
    pub attempts: u32,
    pub created_at: Timestamp,
    /// Time of the next attempt, while the delivery is pending and no attempt is in flight.
    pub next_attempt_at: Option<Timestamp>,
    /// Outcome of the newest attempt.
    pub last_outcome: Option<Outcome>,
    pub updated_at: Timestamp,
}

/// One HTTP request of a delivery, with everything that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// One-based number of the attempt.
    pub number: u32,
    pub started_at: Timestamp,
    pub duration: Duration,
    pub outcome: Outcome,
    /// Description of the failure. Set for an attempt with a response only if the body could not be read.
    pub detail: Option<AttemptDetail>,
    /// URL that was called. The webhook's URL may have changed since.
    pub url: EndpointUrl,
    pub request_headers: Vec<(String, String)>,
    pub response_headers: Vec<(String, String)>,
    /// First bytes of the response body, decompressed.
    pub response_body: Vec<u8>,
    /// Whether the body is incomplete.
    pub response_truncated: bool,
}

#[cfg(feature = "ssr")]
impl Attempt {
    /// Returns the URL and the attempt as a caller sees them.
    pub fn shown(mut self, visibility: UrlVisibility) -> (String, Self) {
        let url = self.url.shown(visibility);
        self.url
            .hide_in_response(visibility, &mut self.response_headers, &mut self.response_body);
        (url, self)
    }
}

/// Outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The receiver responded with this status code, and possibly a `Retry-After` header.
    Answered {
        status: u16,
        retry_after: Option<Duration>,
    },
    /// The receiver sent no response.
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

    /// Returns the status code of the response, if there is one.
    pub fn status_code(self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(status),
            Self::Failed(_) => None,
        }
    }
}

impl fmt::Display for Outcome {
    /// Writes a short label for lists, such as `200` or `Timed out`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(f, "{status}"),
            Self::Failed(reason) => f.write_str(reason.label()),
        }
    }
}

/// Reason an attempt got no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum FailureReason {
    /// The guard blocked the address.
    Blocked,
    /// The host name did not resolve.
    Dns,
    /// The connection failed: refused, unreachable, or reset while connecting.
    Connect,
    /// The TLS handshake failed.
    Tls,
    /// The exchange timed out.
    Timeout,
    /// The response was not HTTP, or the connection was lost.
    Protocol,
    /// The attempt was aborted because the webhook was deleted.
    Cancelled,
}

impl FailureReason {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Returns a short label for users.
    pub fn label(self) -> &'static str {
        match self {
            Self::Blocked => "Address not allowed",
            Self::Dns => "Host not found",
            Self::Connect => "Could not connect",
            Self::Tls => "TLS failed",
            Self::Timeout => "Timed out",
            Self::Protocol => "Invalid response",
            Self::Cancelled => "Cancelled",
        }
    }
}
