//! How far a request has come on its way through the HTTP client.

use std::{
    future::poll_fn,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use hyper::body::{Body, Frame, SizeHint};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpInfo};

tokio::task_local! {
    static PROGRESS: Arc<Progress>;
}

/// The progress of one request.
#[derive(Default)]
pub(super) struct Progress {
    opening: Mutex<Opening>,
    is_written: AtomicBool,
}

/// The connection that a request opens, if the client has no open one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Opening {
    #[default]
    None,
    Unfinished,
    /// The request got another connection, which became free in the meantime. The client goes on in the background.
    InBackground,
    /// The local address identifies the connection.
    Opened(Option<SocketAddr>),
    Failed,
}

impl Progress {
    /// Runs a request whose connector is wrapped by [`record_opening`].
    pub(super) async fn record<F: Future>(self: &Arc<Self>, request: F) -> F::Output {
        PROGRESS.scope(Arc::clone(self), request).await
    }

    pub(super) fn opening(&self) -> Opening {
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the request waits for a connection that others use or open.
    pub(super) fn waits_for_others(&self) -> bool {
        !self.is_written.load(Ordering::Acquire) && self.opening() != Opening::Unfinished
    }

    fn set_opening(&self, opening: Opening) {
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = opening;
    }
}

/// Records the state of the connection that a request opens.
pub(super) async fn record_opening<C: Connection, E>(
    opening: impl Future<Output = Result<C, E>>,
) -> Result<C, E> {
    let Ok(progress) = PROGRESS.try_with(Arc::clone) else {
        return opening.await;
    };
    let mut opening = pin!(opening);
    poll_fn(|context| {
        let result = opening.as_mut().poll(context);
        progress.set_opening(match &result {
            // The client has moved this future to a task of its own.
            _ if PROGRESS.try_with(|_| ()).is_err() => Opening::InBackground,
            Poll::Pending => Opening::Unfinished,
            Poll::Ready(Ok(connection)) => Opening::Opened(local_address(&connection.connected())),
            Poll::Ready(Err(_)) => Opening::Failed,
        });
        result
    })
    .await
}

pub(super) fn local_address(connected: &Connected) -> Option<SocketAddr> {
    let mut extensions = http::Extensions::new();
    connected.get_extras(&mut extensions);
    extensions.get().map(HttpInfo::local_addr)
}

/// A request body that records when its connection reads it. At that time the request's head is written.
pub(super) struct RecordedBody<B> {
    body: B,
    progress: Arc<Progress>,
}

impl<B> RecordedBody<B> {
    pub(super) fn new(body: B, progress: &Arc<Progress>) -> Self {
        Self {
            body,
            progress: Arc::clone(progress),
        }
    }
}

impl<B: Body + Unpin> Body for RecordedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.progress.is_written.store(true, Ordering::Release);
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
