//! How often a key may call, and how much an account may publish. Each process counts for itself.

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

/// What a process allows.
pub struct Limits {
    calls: Option<Bucket<ApiKeyId>>,
    events: Option<Bucket<AccountId>>,
    /// The largest event, in bytes.
    pub event_size: usize,
}

impl Limits {
    /// `calls` and `events` are by the second. The largest batch fits whole, however few events that is.
    pub fn new(calls: Option<NonZeroU32>, events: Option<NonZeroU32>, event_size: usize) -> Self {
        let batch = u32::try_from(MAX_BATCH_EVENTS).ok().and_then(NonZeroU32::new);
        let batch = batch.expect("a thousand");
        Self {
            calls: calls.map(|rate| Bucket::new("calls", rate, rate)),
            events: events.map(|rate| Bucket::new("events", rate, rate.max(batch))),
            event_size,
        }
    }

    /// A call with this key, other than to publish.
    pub(crate) fn call(&self, key: &ApiKeyId) -> Result<Option<RateLimitStatus>, Problem> {
        let taken = self
            .calls
            .as_ref()
            .map(|bucket| bucket.take(key, NonZeroU32::MIN));
        taken
            .transpose()
            .map_err(|refused| refused.problem("This key calls too often."))
    }

    /// So many events for this account.
    pub(crate) fn publish(&self, account: &AccountId, events: usize) -> Result<Option<RateLimitStatus>, Problem> {
        let Some(bucket) = &self.events else {
            return Ok(None);
        };
        let events = u32::try_from(events).ok().and_then(NonZeroU32::new);
        let taken = bucket.take(account, events.unwrap_or(NonZeroU32::MIN));
        taken.map(Some).map_err(|refused| {
            refused.problem(
                "This account publishes too many events a second. Nothing of this request is stored.",
            )
        })
    }
}

/// Beyond so many, those are forgotten that have not called for a while.
const REMEMBERED: usize = 10_000;

/// Fills by `rate` a second up to `room`, for each key.
struct Bucket<K: Hash + Eq + Clone> {
    name: &'static str,
    room: NonZeroU32,
    rate: NonZeroU32,
    limiter: RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>,
}

impl<K: Hash + Eq + Clone> Bucket<K> {
    fn new(name: &'static str, rate: NonZeroU32, room: NonZeroU32) -> Self {
        let quota = Quota::per_second(rate).allow_burst(room);
        Self {
            name,
            room,
            rate,
            limiter: RateLimiter::keyed(quota).with_middleware(),
        }
    }

    fn take(&self, key: &K, many: NonZeroU32) -> Result<RateLimitStatus, Refused> {
        if self.limiter.len() > REMEMBERED {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        match self.limiter.check_key_n(key, many) {
            Ok(Ok(left)) => Ok(self.status(left.remaining_burst_capacity())),
            Ok(Err(until)) => {
                let wait = until.wait_time_from(self.limiter.clock().now());
                // As many as come in while one waits are missing.
                let missing = wait.as_millis() * u128::from(self.rate.get());
                let missing = u32::try_from(missing.div_ceil(1_000)).unwrap_or(u32::MAX);
                Err(Refused {
                    wait,
                    status: self.status(many.get().saturating_sub(missing)),
                })
            }
            // More than there is ever room for: nobody gets here.
            Err(_) => Err(Refused {
                wait: Duration::from_secs(1),
                status: self.status(0),
            }),
        }
    }

    fn status(&self, left: u32) -> RateLimitStatus {
        let seconds = |many: u32| many.div_ceil(self.rate.get());
        let room = self.room.get();
        RateLimitStatus {
            policy: format!("\"{}\";q={room};w={}", self.name, seconds(room)),
            left: format!(
                "\"{}\";r={left};t={}",
                self.name,
                seconds(room.saturating_sub(left))
            ),
        }
    }
}

/// How much is left, as the header fields that the IETF drafts for it have it.
#[derive(Debug)]
pub(crate) struct RateLimitStatus {
    policy: String,
    left: String,
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

impl RateLimitStatus {
    fn fields(&self) -> [(HeaderName, HeaderValue); 2] {
        [(POLICY, &self.policy), (LEFT, &self.left)]
            .map(|(name, text)| (name, HeaderValue::from_str(text).expect("letters and digits")))
    }

    /// Nothing if there is no limit.
    pub(crate) fn headers(status: Option<&Self>) -> HeaderMap {
        status.into_iter().flat_map(Self::fields).collect()
    }
}

struct Refused {
    wait: Duration,
    status: RateLimitStatus,
}

impl Refused {
    fn problem(self, text: &str) -> Problem {
        let seconds = self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0);
        Problem::too_many(text, seconds.max(1)).with_headers(self.status.fields())
    }
}

/// Where a call leaves word of how much is left, for [`tell`].
#[derive(Debug, Clone, Default)]
pub(crate) struct RateLimitSlot(pub(crate) Arc<OnceLock<RateLimitStatus>>);

/// The layer that tells it to the caller.
pub(crate) async fn tell(mut request: Request, next: Next) -> Response {
    let told = RateLimitSlot::default();
    request.extensions_mut().insert(told.clone());
    let mut response = next.run(request).await;
    if let Some(status) = told.0.get() {
        for (name, value) in status.fields() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// How a limit is told, for its description.
pub(crate) struct Example {
    policy: &'static str,
    left: &'static str,
}

pub(crate) const CALLS: Example = Example {
    policy: "The limit: `\"calls\";q=100;w=1`, 100 calls in 1 second.",
    left: "What is left: `\"calls\";r=99;t=1`, 99 calls; all again in 1 second.",
};

pub(crate) const EVENTS: Example = Example {
    policy: "The limit, if there is one: `\"events\";q=1000;w=2`, 1,000 events in 2 seconds.",
    left: "What is left, if there is a limit: `\"events\";r=400;t=2`, 400 events; all again in 2 seconds.",
};

/// Describes the fields that tell of a limit, in every answer that counts.
pub(crate) fn describe(openapi: &mut OpenApi, example: &Example) {
    for path in openapi.paths.paths.values_mut() {
        let calls = [&mut path.get, &mut path.post, &mut path.patch, &mut path.delete];
        let calls = calls.into_iter().flatten();
        calls.for_each(|call| describe_call(call, example));
    }
}

fn describe_call(call: &mut Operation, example: &Example) {
    for (status, response) in &mut call.responses.responses {
        // Without a key nobody is counted.
        if let RefOr::T(response) = response
            && !matches!(status.as_str(), "401" | "403" | "500" | "503")
        {
            let policy = header(Type::String, example.policy);
            let left = header(Type::String, example.left);
            response
                .headers
                .insert("RateLimit-Policy".to_owned(), policy.into());
            response.headers.insert("RateLimit".to_owned(), left.into());
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
    fn a_bucket_tells_how_much_is_left_and_when_it_is_full_again() {
        let bucket = Bucket::new("events", rate(100).unwrap(), rate(1_000).unwrap());
        let status = bucket.take(&1, rate(1_000).unwrap()).ok().unwrap();
        assert_eq!(status.policy, r#""events";q=1000;w=10"#);
        assert_eq!(status.left, r#""events";r=0;t=10"#);
        let refused = bucket.take(&1, rate(1_000).unwrap()).err().unwrap();
        assert!(refused.wait > Duration::from_secs(8), "{:?}", refused.wait);
        assert!(
            bucket.take(&2, rate(600).unwrap()).is_ok(),
            "everybody has their own"
        );
        let refused = bucket.take(&2, rate(600).unwrap()).err().unwrap();
        let left = &refused.status.left;
        assert!(left.starts_with(r#""events";r=40"#), "about 400 are left: {left}");
    }

    #[test]
    fn the_memory_for_callers_is_bounded() {
        let bucket = Bucket::new("calls", rate(1_000_000_000).unwrap(), rate(1).unwrap());
        for caller in 0..=REMEMBERED + 10 {
            assert!(bucket.take(&caller, NonZeroU32::MIN).is_ok());
        }
        assert!(bucket.limiter.len() <= REMEMBERED);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
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
