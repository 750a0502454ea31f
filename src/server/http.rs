//! Connections: whoever is slow, silent or one too many waits or is let go, so that the others are served.
//!
//! `axum::serve` waits for everybody for ever, so this is hyper's own server, with a limit at each place where it waits.

use std::{
    convert::Infallible,
    error::Error,
    fmt, io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{body::Body, extract::ConnectInfo, response::Response};
use bytes::Bytes;
use hyper::{
    Request,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

/// How long and how much each of those who call may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// At once; who comes later waits in the system's queue.
    pub connections: usize,
    /// For the head of a request, counted from the answer before it: so long may a connection rest.
    pub head: Duration,
    /// Of a head, in bytes and in fields; beyond it is 431.
    pub head_bytes: usize,
    pub head_fields: usize,
    /// For the whole body of a request, unless it is there already.
    pub body: Duration,
    /// For taking any of what is written. Streams that are read last as long as they like.
    pub unread: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            head: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            head_fields: 100,
            body: Duration::from_secs(20),
            unread: Duration::from_secs(30),
        }
    }
}

/// After an accept that failed, as when no file may be opened any more.
const PAUSE: Duration = Duration::from_millis(200);

/// A service that handles requests.
pub trait App:
    Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync + 'static
{
}

impl<T> App for T where
    T: Service<Request<Body>, Response = Response, Error = Infallible, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// Serves until it is told to stop, then until the last request under way is answered.
pub async fn serve(listener: TcpListener, app: impl App, limits: Limits, stop: CancellationToken) {
    let (connections, places) = (TaskTracker::new(), Arc::new(Semaphore::new(limits.connections)));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.head_fields);
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let serving = converse(http.clone(), stream, peer, app.clone(), limits, stop.clone());
                connections.spawn(async move {
                    serving.await;
                    drop(place);
                });
            }
            // Whoever called has hung up already.
            Err(error) if is_theirs(&error) => {}
            Err(error) => {
                tracing::error!(%error, "failed to accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, place))
}

fn is_theirs(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// One connection, request after request.
async fn converse(
    http: http1::Builder,
    stream: TcpStream,
    peer: SocketAddr,
    app: impl App,
    limits: Limits,
    stop: CancellationToken,
) {
    // Answers are written at once, and small: nothing is won by waiting for more.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limits.unread));
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(|body| {
            if body.is_end_stream() {
                Body::empty()
            } else {
                Body::new(Hurried::new(body, limits.body))
            }
        });
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().call(request)
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(Box::pin(stream)), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection closed with an error");
    }
}

/// A body that ends with [`TooSlow`] if it takes too long.
struct Hurried {
    body: Incoming,
    limit: Duration,
    /// Set when the body is waited for: most are there with their head.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// A request's body did not come in time.
#[derive(Debug)]
pub struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body did not come in time")
    }
}

impl Error for TooSlow {}

impl Hurried {
    fn new(body: Incoming, limit: Duration) -> Self {
        Self {
            body,
            limit,
            deadline: None,
        }
    }
}

impl HttpBody for Hurried {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let limit = self.limit;
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Some(Err(Box::new(TooSlow))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
