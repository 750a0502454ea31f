//! Publishers. They use hyper directly, with one request at a time per connection, to keep the driver's overhead low.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    client::conn::http1::{self, SendRequest},
    header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

/// Default number of concurrent publishers.
pub const PUBLISHERS: u64 = 64;

/// Endpoint for events.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub path: &'static str,
    pub key: String,
}

/// Returns a request body of about one kilobyte, with an event of this number.
pub fn event(number: u64) -> Bytes {
    const FILLER: &str = "The quick brown fox jumps over the lazy dog, and sleeps after. ";
    let text = FILLER.repeat(14);
    format!(r#"{{"type":"chat","id":"bench-{number}","data":{{"number":{number},"text":"{text}"}}}}"#).into()
}

/// Publishes the events with these numbers as fast as possible and returns the elapsed time. Each publisher sends to
/// one of the targets and waits for each response.
pub async fn publish(
    targets: &[Target],
    numbers: std::ops::Range<u64>,
    publishers: u64,
) -> anyhow::Result<Duration> {
    let next = Arc::new(AtomicU64::new(numbers.start));
    let mut connections = Vec::new();
    for (_, target) in (0..publishers).zip(targets.iter().cycle()) {
        connections.push((target.clone(), connect(target.address).await?));
    }
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for (target, mut connection) in connections {
        let (next, end) = (Arc::clone(&next), numbers.end);
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= end {
                    return anyhow::Ok(());
                }
                post(&mut connection, &target, event(number)).await?;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(started.elapsed())
}

/// Publishes events at a constant rate, numbered from `first`, and returns the start time of each request.
pub async fn publish_steadily(
    target: &Target,
    first: u64,
    per_second: f64,
    duration: Duration,
) -> anyhow::Result<Vec<Instant>> {
    // Enough connections that a slow response does not delay the next event.
    const CONNECTIONS: u64 = 32;
    let total = (per_second * duration.as_secs_f64()) as u64;
    let step = Duration::from_secs_f64(1.0 / per_second);
    let started = Instant::now() + Duration::from_millis(50);
    let mut tasks = JoinSet::new();
    for lane in 0..CONNECTIONS {
        let target = target.clone();
        let mut connection = connect(target.address).await?;
        tasks.spawn(async move {
            let mut begun = Vec::new();
            let mut index = lane;
            while index < total {
                let due = started + step.mul_f64(index as f64);
                tokio::time::sleep_until(due.into()).await;
                begun.push((index, Instant::now()));
                post(&mut connection, &target, event(first + index)).await?;
                index += CONNECTIONS;
            }
            anyhow::Ok(begun)
        });
    }
    let mut all = Vec::new();
    while let Some(begun) = tasks.join_next().await {
        all.extend(begun??);
    }
    all.sort_unstable_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, at)| at).collect())
}

async fn connect(address: SocketAddr) -> anyhow::Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn post(connection: &mut SendRequest<Full<Bytes>>, target: &Target, body: Bytes) -> anyhow::Result<()> {
    let request = Request::post(target.path)
        .header(header::HOST, "127.0.0.1")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", target.key))
        .body(Full::new(body))?;
    connection.ready().await?;
    let response = connection.send_request(request).await.context("publishing")?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    ensure!(
        status.is_success(),
        "{status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(())
}
