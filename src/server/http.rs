//! HTTP connections with limits and timeouts, so that slow, idle or excess clients do not block others.
//!
//! `axum::serve` has no timeouts, so this uses hyper directly, with a limit wherever it waits for a client.

mod request_body;

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{body::Body, extract::ConnectInfo, response::Response};
use hyper::{
    Request,
    body::{Body as HttpBody, Incoming},
    header::{CONNECTION, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::sleep,
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

pub use request_body::{BodyLimits, BodyTimeout};
use request_body::{RequestBody, Shared, expects_continue};

/// Limits and timeouts of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of concurrent connections. Further ones wait in the system's backlog.
    pub connections: usize,
    /// Timeout for the head of a request, from the end of the previous response. Limits idle connections as well.
    pub head: Duration,
    /// Maximum size of a head in bytes. Larger ones get 431.
    pub head_bytes: usize,
    /// Maximum number of headers of a request. More get 431.
    pub head_fields: usize,
    pub body: BodyLimits,
    /// Timeout for a client that does not read the response. Streams that the client reads are not limited.
    pub unread: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            head: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            head_fields: 100,
            body: BodyLimits::default(),
            unread: Duration::from_secs(30),
        }
    }
}

/// Delay after a failed accept, for example when the limit of open files is reached.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// A service that handles all requests.
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

/// Accepts connections until `stop` is cancelled, then waits for the requests in progress.
pub async fn serve(listener: TcpListener, app: impl App, limits: Limits, stop: CancellationToken) {
    let (connections, slots) = (TaskTracker::new(), Arc::new(Semaphore::new(limits.connections)));
    let shared = Arc::new(Shared {
        limits: limits.body,
        stop: stop.clone(),
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.head_fields);
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((stream, peer, permit)) => {
                let mut stream = TimeoutStream::new(stream);
                stream.set_write_timeout(Some(limits.unread));
                let connection =
                    serve_connection(http.clone(), stream, peer, app.clone(), Arc::clone(&shared));
                connections.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            // The client closed the connection before it was accepted.
            Err(error) if is_client_error(&error) => {}
            Err(error) => {
                tracing::error!(%error, "failed to accept a connection");
                sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

fn is_client_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// Serves the requests of one connection.
async fn serve_connection(
    http: http1::Builder,
    stream: TimeoutStream<TcpStream>,
    peer: SocketAddr,
    app: impl App,
    shared: Arc<Shared>,
) {
    // Responses are written as a whole, so Nagle's algorithm would only delay them.
    let _ = stream.get_ref().set_nodelay(true);
    let stop = shared.stop.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let expects_continue = expects_continue(request.headers());
        let mut request = request.map(|body| {
            if body.is_end_stream() {
                Body::empty()
            } else {
                Body::new(RequestBody::new(body, expects_continue, Arc::clone(&shared)))
            }
        });
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = app.clone().call(request);
        async move {
            let mut response = response.await;
            // The client may send the body anyway or not at all, so the connection cannot be used again.
            if expects_continue
                && let Ok(response) = &mut response
                && (response.status().is_client_error() || response.status().is_server_error())
            {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            response
        }
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
