//! The other side: a receiver that costs as little as a receiver can, on a thread of its own.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Takes every call. By the first step of the path it answers at once (`/ok/…`), after 200 ms (`/slow/…`) or
/// never (`/hang/…`).
pub struct Receiver {
    address: SocketAddr,
    calls: Arc<Calls>,
}

#[derive(Default)]
struct Calls {
    answered: AtomicU64,
    /// The number at the end of the event's id, and when it came.
    arrivals: Mutex<Vec<(u64, Instant)>>,
}

pub const SLOW: Duration = Duration::from_millis(200);

impl Receiver {
    pub fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let calls = Arc::new(Calls::default());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::spawn({
            let calls = Arc::clone(&calls);
            move || runtime.block_on(accept(listener, calls))
        });
        Ok(Self { address, calls })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn answered(&self) -> u64 {
        self.calls.answered.load(Ordering::Relaxed)
    }

    /// What has come since the last time, in the order in which it came.
    pub fn take_arrivals(&self) -> Vec<(u64, Instant)> {
        std::mem::take(&mut *self.calls.arrivals.lock().expect("no panic under the lock"))
    }
}

async fn accept(listener: std::net::TcpListener, calls: Arc<Calls>) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let calls = Arc::clone(&calls);
        let service = service_fn(move |request| answer(request, Arc::clone(&calls)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(request: Request<Incoming>, calls: Arc<Calls>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let at = Instant::now();
    let number = request
        .headers()
        .get("webhook-id")
        .and_then(|id| id.to_str().ok()?.rsplit(['-', '_']).next()?.parse().ok());
    let path = request.uri().path().to_owned();
    let _ = request.into_body().collect().await;
    if path.starts_with("/hang") {
        std::future::pending::<()>().await;
    }
    if let Some(number) = number {
        calls
            .arrivals
            .lock()
            .expect("no panic under the lock")
            .push((number, at));
    }
    if path.starts_with("/slow") {
        tokio::time::sleep(SLOW).await;
    }
    calls.answered.fetch_add(1, Ordering::Relaxed);
    Ok(Response::new(Empty::new()))
}
