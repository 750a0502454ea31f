//! A receiver with minimal overhead, on its own thread.

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

/// HTTP server that counts calls. The path selects the response:
///
/// | path | response |
/// |---|---|
/// | `/ok/…` | 200 immediately |
/// | `/slow/…` | 200 after 200 ms |
/// | `/hang/…` | none |
/// | `/reject/15` | 503 to 15 % of the calls, 200 to the others, immediately |
/// | `/limit/16` | 200 after 20 ms for up to 16 concurrent calls, 503 immediately for others |
pub struct Receiver {
    address: SocketAddr,
    calls: Arc<Calls>,
}

#[derive(Default)]
struct Calls {
    answered: AtomicU64,
    rejected: AtomicU64,
    /// Calls to `/limit/…` in progress.
    in_progress: AtomicU64,
    /// Number at the end of each event's id, and time of arrival.
    arrivals: Mutex<Vec<(u64, Instant)>>,
}

/// Response time of `/slow/…`.
pub const SLOW: Duration = Duration::from_millis(200);

/// Response time of accepted calls to `/limit/…`.
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

    /// Returns the number of calls rejected with 503, which [`Self::answered`] includes.
    pub fn rejected(&self) -> u64 {
        self.calls.rejected.load(Ordering::Relaxed)
    }

    /// Returns the arrivals since the previous call, in order.
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
        let service = service_fn(move |request| respond(request, Arc::clone(&calls)));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn respond(
    request: Request<Incoming>,
    calls: Arc<Calls>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
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
    let rejected = if let Some(percentage) = number_in(&path, "/reject/") {
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
    if rejected {
        calls.rejected.fetch_add(1, Ordering::Relaxed);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    Ok(response)
}

fn number_in(path: &str, prefix: &str) -> Option<u64> {
    path.strip_prefix(prefix)?.parse().ok()
}

/// Finalizer of `SplitMix64`: rejections look random but are the same in each run.
fn scrambled(number: u64) -> u64 {
    let mut bits = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
