//! Rate limits: requests per API key, and published events per account. Each process counts separately.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use utoipa::openapi::{OpenApi, RefOr, path::Operation, schema::Type};

use super::problem::{Problem, header};
use crate::domain::{AccountId, ApiKeyId};

/// Maximum number of events in one batch.
pub(crate) const MAX_BATCH_EVENTS: usize = 1_000;

/// The limits of this process.
pub struct Limits {
    calls: Option<Buckets<ApiKeyId>>,
    events: Option<Buckets<AccountId>>,
    /// Maximum size of an event, in bytes.
    pub event_size: usize,
}

impl Limits {
    /// Creates limits of `calls` and `events` per second. The burst capacity always fits a whole batch of events.
    pub fn new(calls: Option<NonZeroU32>, events: Option<NonZeroU32>, event_size: usize) -> Self {
        let batch = u32::try_from(MAX_BATCH_EVENTS).ok().and_then(NonZeroU32::new);
        let batch = batch.expect("1,000 is not zero");
        Self {
            calls: calls.map(|rate| Buckets::new("calls", rate, rate)),
            events: events.map(|rate| Buckets::new("events", rate, rate.max(batch))),
            event_size,
        }
    }

    /// Counts a request with this API key. Requests that publish are not counted.
    pub(crate) fn call(&self, key: &ApiKeyId) -> Result<Option<RateLimitStatus>, Problem> {
        let taken = self
            .calls
            .as_ref()
            .map(|buckets| buckets.take(key, NonZeroU32::MIN));
        taken
            .transpose()
            .map_err(|exceeded| exceeded.problem("This API key sends too many requests."))
    }

    /// Counts published events of this account.
    pub(crate) fn publish(
        &self,
        account: &AccountId,
        events: usize,
    ) -> Result<Option<RateLimitStatus>, Problem> {
        let Some(buckets) = &self.events else {
            return Ok(None);
        };
        let events = u32::try_from(events).ok().and_then(NonZeroU32::new);
        let taken = buckets.take(account, events.unwrap_or(NonZeroU32::MIN));
        taken.map(Some).map_err(|exceeded| {
            exceeded.problem(
                "This account publishes too many events per second. No event of this request is stored.",
            )
        })
    }
}

/// Number of buckets above which the full ones are dropped.
const MAX_BUCKETS: usize = 10_000;

/// Token buckets, one per key: each refills by `rate` per second up to `capacity`.
struct Buckets<K: Hash + Eq + Clone> {
    name: &'static str,
    capacity: NonZeroU32,
    rate: NonZeroU32,
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    fn new(name: &'static str, rate: NonZeroU32, capacity: NonZeroU32) -> Self {
        let quota = Quota::per_second(rate).allow_burst(capacity);
        Self {
            name,
            capacity,
            rate,
            limiter: RateLimiter::keyed(quota).with_middleware(),
        }
    }

    fn take(&self, key: &K, count: NonZeroU32) -> Result<RateLimitStatus, LimitExceeded> {
        if self.limiter.len() > MAX_BUCKETS {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        match self.limiter.check_key_n(key, count) {
            Ok(Ok(snapshot)) => Ok(self.status(snapshot.remaining_burst_capacity())),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(self.limiter.clock().now());
                // The tokens that refill during the wait are the ones that are missing.
                let missing = wait.as_millis() * u128::from(self.rate.get());
                let missing = u32::try_from(missing.div_ceil(1_000)).unwrap_or(u32::MAX);
                Err(LimitExceeded {
                    wait,
                    status: self.status(count.get().saturating_sub(missing)),
                })
            }
            // More than the capacity. Callers never ask for this many.
            Err(_) => Err(LimitExceeded {
                wait: Duration::from_secs(1),
                status: self.status(0),
            }),
        }
    }

    fn status(&self, remaining: u32) -> RateLimitStatus {
        let seconds = |tokens: u32| tokens.div_ceil(self.rate.get());
        let capacity = self.capacity.get();
        RateLimitStatus {
            policy: format!("\"{}\";q={capacity};w={}", self.name, seconds(capacity)),
            remaining: format!(
                "\"{}\";r={remaining};t={}",
                self.name,
                seconds(capacity.saturating_sub(remaining))
            ),
        }
    }
}

/// A limit and what remains of it, as the values of the `RateLimit-Policy` and `RateLimit` headers (IETF draft).
#[derive(Debug)]
pub(crate) struct RateLimitStatus {
    policy: String,
    remaining: String,
}

const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

impl RateLimitStatus {
    fn fields(&self) -> [(HeaderName, HeaderValue); 2] {
        [(RATE_LIMIT_POLICY, &self.policy), (RATE_LIMIT, &self.remaining)].map(|(name, text)| {
            (
                name,
                HeaderValue::from_str(text).expect("only visible ASCII characters"),
            )
        })
    }

    /// Returns the headers, or none if there is no limit.
    pub(crate) fn headers(status: Option<&Self>) -> HeaderMap {
        status.into_iter().flat_map(Self::fields).collect()
    }
}

struct LimitExceeded {
    wait: Duration,
    status: RateLimitStatus,
}

impl LimitExceeded {
    fn problem(self, text: &str) -> Problem {
        let seconds = self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0);
        Problem::too_many(text, seconds.max(1)).with_headers(self.status.fields())
    }
}

/// Request extension in which the handler stores the status for [`add_headers`].
#[derive(Debug, Clone, Default)]
pub(crate) struct RateLimitSlot(pub(crate) Arc<OnceLock<RateLimitStatus>>);

/// Middleware that adds the rate limit headers to the response.
pub(crate) async fn add_headers(mut request: Request, next: Next) -> Response {
    let slot = RateLimitSlot::default();
    request.extensions_mut().insert(slot.clone());
    let mut response = next.run(request).await;
    if let Some(status) = slot.0.get() {
        for (name, value) in status.fields() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Descriptions of the two headers in the API description.
pub(crate) struct HeaderDocs {
    policy: &'static str,
    remaining: &'static str,
}

pub(crate) const CALL_LIMIT: HeaderDocs = HeaderDocs {
    policy: "The limit. `\"calls\";q=100;w=1` means 100 requests in 1 second.",
    remaining: "What remains. `\"calls\";r=99;t=1` means 99 requests, and all 100 in 1 second.",
};

pub(crate) const EVENT_LIMIT: HeaderDocs = HeaderDocs {
    policy: "The limit, if one is set. `\"events\";q=1000;w=2` means 1,000 events in 2 seconds.",
    remaining: "What remains, if a limit is set. `\"events\";r=400;t=2` means 400 events, and all 1,000 in 2 seconds.",
};

/// Documents the rate limit headers of every response that has them.
pub(crate) fn document_headers(openapi: &mut OpenApi, docs: &HeaderDocs) {
    for path in openapi.paths.paths.values_mut() {
        let operations = [&mut path.get, &mut path.post, &mut path.patch, &mut path.delete];
        let operations = operations.into_iter().flatten();
        operations.for_each(|operation| document_operation(operation, docs));
    }
}

fn document_operation(operation: &mut Operation, docs: &HeaderDocs) {
    for (status, response) in &mut operation.responses.responses {
        // Requests without a valid key are not counted.
        if let RefOr::T(response) = response
            && !matches!(status.as_str(), "401" | "403" | "500" | "503")
        {
            let policy = header(Type::String, docs.policy);
            let remaining = header(Type::String, docs.remaining);
            response
                .headers
                .insert("RateLimit-Policy".to_owned(), policy.into());
            response.headers.insert("RateLimit".to_owned(), remaining.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(number: u32) -> Option<NonZeroU32> {
        NonZeroU32::new(number)
    }

    #[test]
    fn status_reports_remaining_tokens_and_refill_time() {
        let buckets = Buckets::new("events", rate(100).unwrap(), rate(1_000).unwrap());
        let status = buckets.take(&1, rate(1_000).unwrap()).ok().unwrap();
        assert_eq!(status.policy, r#""events";q=1000;w=10"#);
        assert_eq!(status.remaining, r#""events";r=0;t=10"#);
        let exceeded = buckets.take(&1, rate(1_000).unwrap()).err().unwrap();
        assert!(exceeded.wait > Duration::from_secs(8), "{:?}", exceeded.wait);
        assert!(
            buckets.take(&2, rate(600).unwrap()).is_ok(),
            "each key has its own bucket"
        );
        let exceeded = buckets.take(&2, rate(600).unwrap()).err().unwrap();
        let remaining = &exceeded.status.remaining;
        assert!(
            remaining.starts_with(r#""events";r=40"#),
            "about 400 remain: {remaining}"
        );
    }

    #[test]
    fn number_of_buckets_is_bounded() {
        let buckets = Buckets::new("calls", rate(1_000_000_000).unwrap(), rate(1).unwrap());
        for key in 0..=MAX_BUCKETS + 10 {
            assert!(buckets.take(&key, NonZeroU32::MIN).is_ok());
        }
        assert!(buckets.limiter.len() <= MAX_BUCKETS);
    }

    #[test]
    fn nothing_is_counted_without_a_limit() {
        let limits = Limits::new(None, None, 1);
        let now = crate::domain::Timestamp::from_millis(0);
        for _ in 0..1_000 {
            assert!(
                limits
                    .call(&ApiKeyId::generate(now))
                    .is_ok_and(|status| status.is_none())
            );
            assert!(limits.publish(&AccountId::generate(now), 1_000).is_ok());
        }
    }
}
