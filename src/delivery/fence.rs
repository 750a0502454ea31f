//! Whether this process may start requests: only while the others still wait for it.
//!
//! Whoever changes a webhook waits until every process has heard of it, but not for ever for one that is dead, cut off or
//! frozen. So a process that has not been heard of for a while stops by itself, before the others cease to wait. It
//! judges by its own monotonic clock, which goes on while it is stopped and which nobody sets.

use std::{
    sync::{Arc, PoisonError, RwLock},
    task::{Context, Poll},
    time::Instant,
};

use tower::{BoxError, Layer, Service};

/// Open for good, unless it is told otherwise. Cheap to clone; the clones are the same one.
#[derive(Clone, Default)]
pub struct Fence(Arc<RwLock<Option<Instant>>>);

/// Nothing may be sent at this moment.
#[derive(Debug, thiserror::Error)]
#[error("this process has not been heard of for too long to send anything")]
pub struct Fenced;

impl Fence {
    /// Closes it from that moment on.
    pub fn close_at(&self, moment: Instant) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(moment);
    }

    pub fn is_open(&self) -> bool {
        let closes = *self.0.read().unwrap_or_else(PoisonError::into_inner);
        closes.is_none_or(|closes| Instant::now() < closes)
    }
}

/// Around a client's connector. To connect may take seconds, and only then the request is sent: it asks again.
impl<S> Layer<S> for Fence {
    type Service = Connector<S>;

    fn layer(&self, inner: S) -> Connector<S> {
        Connector {
            inner,
            fence: self.clone(),
        }
    }
}

#[derive(Clone)]
pub struct Connector<S> {
    inner: S,
    fence: Fence,
}

impl<S, R> Service<R> for Connector<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (connecting, fence) = (self.inner.call(request), self.fence.clone());
        Box::pin(async move {
            let connection = connecting.await?;
            if fence.is_open() {
                Ok(connection)
            } else {
                Err(Fenced.into())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_open_until_the_moment_at_which_it_closes() {
        let fence = Fence::default();
        assert!(fence.is_open());
        fence.close_at(Instant::now() + Duration::from_secs(3600));
        assert!(fence.is_open());
        fence.close_at(Instant::now());
        assert!(!fence.is_open());
    }

    #[tokio::test]
    async fn what_was_connected_while_it_closed_is_not_used() {
        let fence = Fence::default();
        let closing = fence.clone();
        let connector = tower::service_fn(move |()| {
            let closing = closing.clone();
            async move {
                closing.close_at(Instant::now());
                Ok::<_, BoxError>("a connection")
            }
        });
        let error = fence.layer(connector).call(()).await.unwrap_err();
        assert!(error.is::<Fenced>());
    }
}
