//! Sends a test event to a webhook immediately and reports each step.
//!
//! A test uses the same gate, signer and guard as a delivery. It is not retried or recorded, and does not affect the
//! webhook's status or statistics.

use std::{num::NonZeroU32, sync::Arc};

use bytes::Bytes;
use governor::{DefaultKeyedRateLimiter, Quota};
use serde_json::value::RawValue;

use super::{
    attempt_runner::{request_headers, to_log},
    fence::Fence,
    gate::{Admission, Gate, GateError},
    sender::{Interrupted, Probe, Sender},
};
use crate::domain::{
    AccountId, Clock, EndpointUrl, EventId, EventType, Timestamp, UrlVisibility, WebhookId, event::envelope,
};

/// Maximum number of tests per account and minute, all of which may be sent at once. The limit prevents the use of
/// tests to flood a receiver.
const MAX_TESTS_PER_MINUTE: NonZeroU32 = NonZeroU32::new(6).unwrap();

/// Sends tests. Cheap to clone.
#[derive(Clone)]
pub struct Tester(Arc<Inner>);

struct Inner {
    gate: Arc<Gate>,
    sender: Arc<Sender>,
    fence: Fence,
    clock: Arc<dyn Clock>,
    limiter: DefaultKeyedRateLimiter<AccountId>,
}

/// The request that was sent and its outcome.
#[derive(Debug, Clone)]
pub struct TestResult {
    pub at: Timestamp,
    pub url: EndpointUrl,
    pub request_headers: Vec<(String, String)>,
    pub body: Bytes,
    pub probe: Probe,
}

impl TestResult {
    /// Returns the URL and the result as a caller sees them.
    pub fn shown(mut self, visibility: UrlVisibility) -> (String, Self) {
        let url = self.url.shown(visibility);
        let exchange = &mut self.probe.exchange;
        self.url.hide_in_response(
            visibility,
            &mut exchange.response_headers,
            &mut exchange.response_body,
        );
        (url, self)
    }
}

/// Reason no test was sent.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    #[error("You can send {MAX_TESTS_PER_MINUTE} tests per minute. Try again in a moment.")]
    TooMany,
    #[error("webhook not found")]
    NotFound,
    #[error(transparent)]
    Gate(#[from] GateError),
    /// This process has lost its connection to the database.
    #[error("this process cannot send at the moment")]
    Fenced,
}

impl Tester {
    pub(super) fn new(gate: Arc<Gate>, sender: Arc<Sender>, fence: Fence, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner {
            gate,
            sender,
            fence,
            clock,
            limiter: DefaultKeyedRateLimiter::keyed(Quota::per_minute(MAX_TESTS_PER_MINUTE)),
        }))
    }

    /// Sends a test event. The caller has checked that the webhook belongs to the account.
    pub async fn test(
        &self,
        account: &AccountId,
        webhook: &WebhookId,
        event_type: EventType,
    ) -> Result<TestResult, TestError> {
        let inner = &self.0;
        if inner.limiter.check_key(account).is_err() {
            return Err(TestError::TooMany);
        }
        // Forgets accounts that have not sent a test for a while.
        inner.limiter.retain_recent();
        let permit = inner.fence.permit();
        let pass = match inner.gate.enter_for_test(webhook).await? {
            Admission::Admitted(pass) => pass,
            Admission::Inactive | Admission::Deleted => return Err(TestError::NotFound),
        };
        let at = inner.clock.now();
        let id = test_id(at);
        let example: &RawValue = serde_json::from_str(event_type.example()).expect("the examples are JSON");
        let body = Bytes::from(envelope(event_type, at, example));
        let headers = request_headers(&id, &body, &pass, at);
        let request_headers = to_log(&headers);
        let probe = inner.sender.probe(&pass, permit, headers, body.clone(), at).await;
        Ok(TestResult {
            at,
            url: pass.target.url.clone(),
            request_headers,
            body,
            probe: probe.map_err(|interrupted| match interrupted {
                Interrupted::Cancelled => TestError::NotFound,
                Interrupted::Fenced => TestError::Fenced,
            })?,
        })
    }
}

/// Returns an id that starts with `test_`, so that receivers can distinguish tests from real events.
fn test_id(at: Timestamp) -> EventId {
    let id = EventId::generate(at);
    let id = id.as_str().strip_prefix(EventId::PREFIX).unwrap_or_default();
    format!("test_{id}").parse().expect("letters and digits")
}
