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
use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Takes every call. The path selects the response:
///
/// | path | response |
/// |---|---|
/// | `/ok/…` | 200 at once |
/// | `/slow/…` | 200 after 200 ms |
/// | `/hang/…` | none |
/// | `/refuse/15` | 503 at once to 15 % of the calls, 200 at once to the others |
/// | `/limit/16` | 200 after 20 ms to at most 16 calls at the same time, 503 at once to the others |
pub struct Receiver {
    address: SocketAddr,
    calls: Arc<Calls>,
}

#[derive(Default)]
struct Calls {
    answered: AtomicU64,
    refused: AtomicU64,
    /// Calls to `/limit/…` in progress.
    in_progress: AtomicU64,
    /// The number at the end of the event's id, and when it came.
    arrivals: Mutex<Vec<(u64, Instant)>>,
}

pub const SLOW: Duration = Duration::from_millis(200);

/// How long a call to `/limit/…` takes that is not refused.
pub const LIMITED: Duration = Duration::from_millis(20);

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

    /// Number of calls answered with 503; [`Self::answered`] counts them too.
    pub fn refused(&self) -> u64 {
        self.calls.refused.load(Ordering::Relaxed)
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
    let refused = if let Some(percentage) = number_in(&path, "/refuse/") {
        scrambled(calls.answered.load(Ordering::Relaxed)) % 100 < percentage
    } else if let Some(limit) = number_in(&path, "/limit/") {
        let accepted = calls.in_progress.fetch_add(1, Ordering::Relaxed) < limit;
        if accepted {
            tokio::time::sleep(LIMITED).await;
        }
        calls.in_progress.fetch_sub(1, Ordering::Relaxed);
        !accepted
    } else {
        false
    };
    calls.answered.fetch_add(1, Ordering::Relaxed);
    let mut response = Response::new(Empty::new());
    if refused {
        calls.refused.fetch_add(1, Ordering::Relaxed);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

fn number_in(path: &str, prefix: &str) -> Option<u64> {
    path.strip_prefix(prefix)?.parse().ok()
}

/// The finalizer of `SplitMix64`: refusals look random, but are the same in each run.
fn scrambled(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
