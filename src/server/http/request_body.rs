//! The body of a request: limited in time, and discarded up to a limit if the handler does not read it to its end.
//!
//! Many clients send the whole body before they read the response. If the connection closes earlier, they report a broken
//! connection instead of the response, such as 401 or 413.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    header,
};
use tokio::{
    runtime::Handle,
    time::{Sleep, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Limits of request bodies.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Timeout for the whole body of a request, unless it arrived with the head.
    pub read: Duration,
    /// Number of bytes that are discarded after a handler dropped the body. Then the connection closes.
    pub discard: usize,
    /// Timeout for discarding a body.
    pub discard_time: Duration,
    /// Timeout for the next part of a body that is discarded.
    pub discard_pause: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            read: Duration::from_secs(20),
            discard: 128 * 1024 * 1024,
            discard_time: Duration::from_secs(60),
            discard_pause: Duration::from_secs(5),
        }
    }
}

/// What all request bodies of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: BodyLimits,
    /// Cancelled at shutdown. Then no body is discarded any more.
    pub(super) stop: CancellationToken,
}

/// A request body that fails with [`BodyTimeout`] if it takes too long.
///
/// If it is dropped before its end, the rest is read and discarded while the response is sent.
pub(super) struct RequestBody {
    /// `None` after the end or an error.
    body: Option<Incoming>,
    shared: Arc<Shared>,
    /// Set when the body is first waited for. Most bodies arrive with the head and need no timer.
    deadline: Option<Pin<Box<Sleep>>>,
    /// The client waits for `100 Continue`, which hyper sends when the body is first polled.
    waits_for_continue: bool,
}

/// Error of a request body that did not arrive in time.
#[derive(Debug)]
pub struct BodyTimeout;

impl fmt::Display for BodyTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request body did not arrive in time")
    }
}

impl Error for BodyTimeout {}

/// Returns whether the client waits for `100 Continue` before it sends the body.
pub(super) fn expects_continue(headers: &HeaderMap) -> bool {
    let value = headers.get(header::EXPECT);
    value.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

impl RequestBody {
    pub(super) fn new(body: Incoming, waits_for_continue: bool, shared: Arc<Shared>) -> Self {
        Self {
            body: Some(body),
            shared,
            deadline: None,
            waits_for_continue,
        }
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.waits_for_continue = false;
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            if !matches!(frame, Some(Ok(_))) {
                self.body = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let limit = self.shared.limits.read;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(deadline.as_mut().poll(cx));
        self.body = None;
        Poll::Ready(Some(Err(Box::new(BodyTimeout))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        // A client that waits for `100 Continue` reads the response first, and then sends no body.
        let Some(body) = self.body.take_if(|body| !body.is_end_stream()) else {
            return;
        };
        if self.waits_for_continue {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(discard(body, Arc::clone(&self.shared)));
        }
    }
}

/// Reads the rest of a body within the limits. Ends early at shutdown or if the connection closes.
async fn discard(mut body: Incoming, shared: Arc<Shared>) {
    let limits = shared.limits;
    let mut left = limits.discard;
    let reading = async {
        while let Ok(Some(Ok(frame))) = timeout(limits.discard_pause, body.frame()).await {
            let size = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(size) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    tokio::select! {
        () = shared.stop.cancelled() => {}
        _ = timeout(limits.discard_time, reading) => {}
    }
}
