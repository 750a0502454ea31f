//! Whether this process may start requests: only while the others still wait for it.
//!
//! Whoever changes a webhook waits until every process has heard of it, but not for ever for one that is dead, cut off or
//! frozen. So a process that has not been heard of for a while stops by itself, before the others cease to wait. It
//! judges by its own monotonic clock, which goes on while it is stopped and which nobody sets.
//!
//! An attempt asks last of all when its request is about to be written: between that and the network there are only a
//! few instructions, in which it would have to be frozen for longer than the others wait.

use std::{
    pin::Pin,
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
    time::Instant,
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Open for good, unless it is told otherwise. Cheap to clone; the clones are the same one.
#[derive(Clone, Default)]
pub struct Fence(Arc<RwLock<State>>);

#[derive(Default)]
struct State {
    /// Counts how often everything that was permitted before was revoked.
    epoch: u64,
    closes: Option<Instant>,
}

impl State {
    fn is_open(&self) -> bool {
        self.closes.is_none_or(|closes| Instant::now() < closes)
    }
}

impl Fence {
    /// Closes it from that moment on.
    pub fn close_at(&self, moment: Instant) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).closes = Some(moment);
    }

    /// Also when it is open again, nothing that was permitted until now may be sent.
    pub fn revoke(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).epoch += 1;
    }

    pub fn is_open(&self) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).is_open()
    }

    /// For one attempt: to take before anything is read that it goes by.
    pub fn permit(&self) -> Permit {
        Permit {
            fence: self.clone(),
            epoch: self.0.read().unwrap_or_else(PoisonError::into_inner).epoch,
        }
    }
}

/// To send one request, for as long as it holds.
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

/// Nothing may be sent, and nothing was.
#[derive(Debug, thiserror::Error)]
#[error("this process has not been heard of for too long to send anything")]
pub struct Fenced;

/// A request's body, which is asked for when its head is written but not yet on its way: then it asks once more.
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
    fn it_is_open_until_the_moment_at_which_it_closes() {
        let fence = Fence::default();
        let permit = fence.permit();
        assert!(permit.is_valid());
        fence.close_at(Instant::now() + Duration::from_secs(3600));
        assert!(permit.is_valid());
        fence.close_at(Instant::now());
        assert!(!fence.is_open() && !permit.is_valid());
    }

    #[test]
    fn what_was_revoked_is_not_permitted_again() {
        let fence = Fence::default();
        let before = fence.permit();
        fence.revoke();
        assert!(fence.is_open() && !before.is_valid());
        assert!(fence.permit().is_valid());
    }
}
