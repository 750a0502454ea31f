//! Stops a process from sending before the other processes evict it.
//!
//! A change of a webhook waits until every process has applied it or is evicted. So a process whose heartbeats fail
//! must stop sending before its eviction. It measures this with its own monotonic clock, which also runs while the
//! process is frozen.
//!
//! The last check is just before a request is written. Only a few instructions follow until the request is on the
//! network. To send after its eviction, the process would have to be frozen between them until the others evict it.

use std::{
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Switch that allows requests until a deadline. Always open without a deadline. Clones share their state.
#[derive(Clone, Default)]
pub struct Fence(Arc<RwLock<State>>);

#[derive(Default)]
struct State {
    /// Number of revocations.
    epoch: u64,
    closes_at: Option<Instant>,
}

impl State {
    fn is_open(&self) -> bool {
        self.closes_at.is_none_or(|closes_at| Instant::now() < closes_at)
    }
}

impl Fence {
    /// Sets the deadline, replacing the previous one.
    pub fn close_at(&self, deadline: Instant) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).closes_at = Some(deadline);
    }

    /// Permanently invalidates all permits issued so far.
    pub fn revoke(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).epoch += 1;
    }

    pub fn is_open(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_open()
    }

    /// Issues a permit for one request. Must be called before the request's data is read.
    pub fn permit(&self) -> Permit {
        Permit {
            fence: self.clone(),
            epoch: self.0.read().unwrap_or_else(PoisonError::into_inner).epoch,
        }
    }
}

/// Permission to send one request while it is valid.
#[derive(Clone)]
pub struct Permit {
    fence: Fence,
    epoch: u64,
}

impl Permit {
    pub fn is_valid(&self) -> bool {
        let state = self.fence.0.read().unwrap_or_else(PoisonError::into_inner);
        state.epoch == self.epoch && state.is_open()
    }
}

/// The process may not send. The request was not sent.
#[derive(Debug, thiserror::Error)]
#[error("this process missed its heartbeats and may not send")]
pub struct Fenced;

/// Request body that checks the permit when it is read. At that time the request's head is written but not yet sent.
pub(super) struct FencedBody {
    bytes: Option<Bytes>,
    permit: Permit,
}

impl FencedBody {
    pub(super) fn new(bytes: Bytes, permit: Permit) -> Self {
        Self {
            bytes: Some(bytes),
            permit,
        }
    }
}

impl Body for FencedBody {
    type Data = Bytes;
    type Error = Fenced;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fenced>>> {
        let frame = match self.bytes.take() {
            Some(_) if !self.permit.is_valid() => Some(Err(Fenced)),
            bytes => bytes.map(|bytes| Ok(Frame::data(bytes))),
        };
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn open_until_the_deadline() {
        let fence = Fence::default();
        let permit = fence.permit();
        assert!(permit.is_valid());
        fence.close_at(Instant::now() + Duration::from_secs(3600));
        assert!(permit.is_valid());
        fence.close_at(Instant::now());
        assert!(!fence.is_open() && !permit.is_valid());
    }

    #[test]
    fn revoked_permits_stay_invalid() {
        let fence = Fence::default();
        let revoked = fence.permit();
        fence.revoke();
        assert!(fence.is_open() && !revoked.is_valid());
        assert!(fence.permit().is_valid());
    }
}
