//! One sample event to one webhook, at once, for those who want to see what happens.
//!
//! It goes through the same gate, signer and guard as every delivery, but it is none: it is not retried, not on record,
//! and says nothing about the webhook's health.

use std::{num::NonZeroU32, sync::Arc};

use bytes::Bytes;
use governor::{DefaultKeyedRateLimiter, Quota};
use serde_json::value::RawValue;

use super::{
    attempt_runner::{headers, readable},
    fence::Fence,
    gate::{Admission, Gate, GateError},
    sender::{Interrupted, Probe, Sender},
};
use crate::domain::{AccountId, Clock, EventId, EventType, Timestamp, WebhookId, event::envelope};

/// Tests of one account: so many in a minute, and so many at once. They are for people, and nobody shall use us to call
/// others often.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(6).unwrap();

/// Sends tests. Cheap to clone.
#[derive(Clone)]
pub struct Tester(Arc<Parts>);

struct Parts {
    gate: Arc<Gate>,
    sender: Arc<Sender>,
    fence: Fence,
    clock: Arc<dyn Clock>,
    limiter: DefaultKeyedRateLimiter<AccountId>,
}

/// What was sent, and what came of it.
#[derive(Debug, Clone)]
pub struct Test {
    pub at: Timestamp,
    pub url: String,
    pub request_headers: Vec<(String, String)>,
    pub body: Bytes,
    pub probe: Probe,
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    #[error("Only {PER_MINUTE} tests a minute: try again in a moment.")]
    TooMany,
    #[error("there is no such webhook")]
    NotFound,
    #[error(transparent)]
    Gate(#[from] GateError),
    /// This process has lost its database.
    #[error("this process may not send at the moment")]
    Fenced,
}

impl Tester {
    pub(super) fn new(gate: Arc<Gate>, sender: Arc<Sender>, fence: Fence, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Parts {
            gate,
            sender,
            fence,
            clock,
            limiter: DefaultKeyedRateLimiter::keyed(Quota::per_minute(PER_MINUTE)),
        }))
    }

    /// The webhook has to be one of the account; the caller has looked.
    pub async fn test(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        event_type: EventType,
    ) -> Result<Test, TestError> {
        let parts = &self.0;
        if parts.limiter.check_key(account).is_err() {
            return Err(TestError::TooMany);
        }
        // Accounts that have not tested for a while need not be remembered.
        parts.limiter.retain_recent();
        let permit = parts.fence.permit();
        let pass = match parts.gate.enter_to_test(webhook).await? {
            Admission::Open(pass) => pass,
            Admission::Stopped | Admission::Gone => return Err(TestError::NotFound),
        };
        let at = parts.clock.now();
        let id = test_id(at);
        let example: &RawValue = serde_json::from_str(event_type.example()).expect("the examples are JSON");
        let body = Bytes::from(envelope(event_type, at, example));
        let headers = headers(&id, &body, &pass, at);
        let request_headers = readable(&headers);
        let probe = parts.sender.probe(&pass, permit, headers, body.clone(), at).await;
        Ok(Test {
            at,
            url: pass.target.url.to_string(),
            request_headers,
            body,
            probe: probe.map_err(|interrupted| match interrupted {
                Interrupted::Cancelled => TestError::NotFound,
                Interrupted::Fenced => TestError::Fenced,
            })?,
        })
    }
}

/// `test_…`: a receiver can tell it from what has happened.
fn test_id(at: Timestamp) -> EventId {
    let id = EventId::generate(at);
    let id = id.as_str().strip_prefix(EventId::PREFIX).unwrap_or_default();
    format!("test_{id}").parse().expect("letters and digits")
}
