//! Connections that a healthy receiver retires: after a number of requests, or when they are idle. Their requests are
//! sent again within the same attempt, if the receiver did not process them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http;
use bytes::Bytes;
use caleida::{
    delivery::{
        fence::Fence,
        gate::Pass,
        guard::Guard,
        sender::{Exchange, Interrupted, Sender},
    },
    domain::{FailureReason, Outcome, Timestamp},
};
use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    task::JoinSet,
};
use tokio_util::task::AbortOnDropHandle;

use crate::support::{
    certificate::{Certificate, Identity},
    free_port,
    nginx::Nginx,
    pass::pass,
};

const NOON: Timestamp = Timestamp::from_millis(1_795_435_200_000);
const BODY: Bytes = Bytes::from_static(b"{\"type\":\"chat\"}");
const CONCURRENCY: usize = 32;

const DELIVERED: Outcome = Outcome::Answered {
    status: 200,
    retry_after: None,
};

fn sender(roots: Vec<CertificateDer<'static>>) -> Sender {
    let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
    Sender::new(Arc::new(guard), Duration::from_secs(15), roots).unwrap()
}

async fn post(sender: &Sender, pass: &Pass, fence: &Fence) -> Result<Exchange, Interrupted> {
    sender
        .send(pass, fence.permit(), HeaderMap::new(), BODY, NOON)
        .await
}

/// Sends requests from concurrent loops with a pause after each request, and asserts that all are delivered.
async fn send_many(
    authority: CertificateDer<'static>,
    url: &str,
    requests: usize,
    pause: fn(usize) -> Duration,
) {
    let (sender, pass) = (Arc::new(sender(vec![authority])), Arc::new(pass(url).await));
    let mut loops = JoinSet::new();
    for first in 0..CONCURRENCY {
        let (sender, pass) = (Arc::clone(&sender), Arc::clone(&pass));
        loops.spawn(async move {
            for number in (first..requests).step_by(CONCURRENCY) {
                let exchange = post(&sender, &pass, &Fence::default()).await.unwrap();
                assert_eq!(exchange.outcome, DELIVERED, "{number}: {:?}", exchange.detail);
                let pause = pause(number);
                if !pause.is_zero() {
                    tokio::time::sleep(pause).await;
                }
            }
        });
    }
    loops.join_all().await;
}

fn no_pause(_: usize) -> Duration {
    Duration::ZERO
}

/// Starts a receiver that responds to every request with 200. `listen` are parameters of the `listen` directive,
/// `settings` are directives. Returns it with its URL.
async fn start_nginx(listen: &str, settings: &str) -> (Nginx, String) {
    let port = free_port();
    let server = format!(
        "server {{ listen 127.0.0.1:{port} ssl {listen}; {settings} location / {{ return 200; }}
             ssl_certificate certificate.pem; ssl_certificate_key key.pem; }}"
    );
    (
        Nginx::start(port, &server).await,
        format!("https://127.0.0.1:{port}/hook"),
    )
}

/// Asserts that all requests are delivered, over not many more connections than nginx asked for.
async fn assert_nginx_gets_all(
    listen: &str,
    protocol: &str,
    requests_per_connection: usize,
    requests: usize,
) {
    let settings = format!("keepalive_requests {requests_per_connection};");
    let (nginx, url) = start_nginx(listen, &settings).await;
    send_many(nginx.authority.clone(), &url, requests, no_pause).await;
    let log = nginx.wait_for_requests(requests).await;
    let expected = format!(" 200 {protocol}");
    assert!(log.iter().all(|line| line.ends_with(&expected)), "{protocol}");
    let connections = nginx.connections();
    println!(
        "{protocol}, {requests_per_connection} per connection: {requests} requests, {} received, {connections} connections",
        log.len(),
    );
    // This nginx responds to the head of a request, so it also logs a few whose body was not sent any more.
    assert!(log.len() < requests + requests / 100, "{}", log.len());
    let needed = requests / requests_per_connection;
    assert!(
        connections <= needed * 3 + CONCURRENCY,
        "{connections} connections, {needed} needed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_retires_http2_connections_without_failures() {
    for (requests_per_connection, requests) in [(1, 1_000), (20, 2_000), (100, 4_000), (1_000, 4_000)] {
        assert_nginx_gets_all("http2", "HTTP/2.0", requests_per_connection, requests).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_retires_http1_connections_without_failures() {
    for (requests_per_connection, requests) in [(20, 2_000), (100, 4_000), (1_000, 4_000)] {
        assert_nginx_gets_all("", "HTTP/1.1", requests_per_connection, requests).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nginx_closes_idle_connections_without_failures() {
    for listen in ["", "http2"] {
        let (nginx, url) = start_nginx(listen, "keepalive_timeout 30ms;").await;
        let about_the_timeout = |number| Duration::from_micros(28_500 + (number as u64 * 37) % 3_000);
        send_many(nginx.authority.clone(), &url, 4_000, about_the_timeout).await;
        let received = nginx.wait_for_requests(4_000).await.len();
        println!(
            "closed when idle: 4000 requests, {received} received, {} connections",
            nginx.connections()
        );
        assert!(received < 4_040, "{received}");
    }
}

/// A receiver that counts connections and requests.
struct Retiring {
    url: String,
    authority: CertificateDer<'static>,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
    _listening: AbortOnDropHandle<()>,
}

impl Retiring {
    /// Accepts TLS connections. The first one uses the first of these protocols, and so on; further ones use the last.
    /// `serve` handles a connection and gets its number, from 0.
    async fn start<F>(
        protocols: &[&[u8]],
        serve: impl Fn(usize, Stream, Arc<AtomicUsize>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let identity = Identity::make(Certificate::Good);
        let acceptors: Vec<_> = protocols
            .iter()
            .map(|protocol| identity.acceptor(protocol))
            .collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/hook", listener.local_addr().unwrap());
        let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (accepted, received) = (Arc::clone(&connections), Arc::clone(&requests));
        let serve = Arc::new(serve);
        let listening = tokio::spawn(async move {
            let mut serving = JoinSet::new();
            for number in 0.. {
                let (tcp, _) = listener.accept().await.unwrap();
                let acceptor = acceptors[number.min(acceptors.len() - 1)].clone();
                let (serve, accepted, received) =
                    (Arc::clone(&serve), Arc::clone(&accepted), Arc::clone(&received));
                serving.spawn(async move {
                    if let Ok(tls) = acceptor.accept(tcp).await {
                        accepted.fetch_add(1, Ordering::SeqCst);
                        serve(number, Box::new(tls), received).await;
                    }
                });
            }
        });
        Self {
            url,
            authority: identity.authority,
            connections,
            requests,
            _listening: AbortOnDropHandle::new(listening),
        }
    }

    fn sender(&self) -> Sender {
        sender(vec![self.authority.clone()])
    }

    fn counts(&self) -> (usize, usize) {
        (
            self.connections.load(Ordering::SeqCst),
            self.requests.load(Ordering::SeqCst),
        )
    }
}

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}
type Stream = Box<dyn Duplex>;

/// Serves this many requests on an HTTP/2 connection, and refuses further ones with `REFUSED_STREAM`.
async fn serve_then_refuse(limit: usize, stream: Stream, requests: Arc<AtomicUsize>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    let mut served = 0;
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        if served == limit {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
            continue;
        }
        served += 1;
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(chunk)) = body.data().await {
                let _ = body.flow_control().release_capacity(chunk.len());
            }
            requests.fetch_add(1, Ordering::SeqCst);
            let _ = respond.send_response(http::Response::new(()), true);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_http2_streams_are_sent_again() {
    for (limit, requests) in [(20, 2_000), (100, 4_000), (1_000, 4_000)] {
        let receiver = Retiring::start(&[b"h2"], move |_, stream, received| {
            serve_then_refuse(limit, stream, received)
        })
        .await;
        send_many(receiver.authority.clone(), &receiver.url, requests, no_pause).await;
        let (connections, received) = receiver.counts();
        println!("REFUSED_STREAM after {limit}: {received} received, {connections} connections");
        assert_eq!(received, requests, "{limit}");
    }
}

/// Reads a request of HTTP/1.1 and returns whether there was one.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return false,
        }
    }
    stream.read_exact(&mut vec![0; BODY.len()]).await.is_ok()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// Serves this many requests on an HTTP/1.1 connection, and ends the connection with these bytes after reading another.
async fn serve_then_close(limit: usize, last_bytes: &[u8], stream: Stream, requests: Arc<AtomicUsize>) {
    let mut stream = BufReader::new(stream);
    for _ in 0..limit {
        if !read_request(&mut stream).await {
            return;
        }
        requests.fetch_add(1, Ordering::SeqCst);
        stream.write_all(OK).await.unwrap();
        stream.flush().await.unwrap();
    }
    if read_request(&mut stream).await {
        requests.fetch_add(1, Ordering::SeqCst);
        let _ = stream.write_all(last_bytes).await;
        let _ = stream.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_on_closing_http1_connections_are_sent_again() {
    for (limit, requests) in [(20, 2_000), (100, 4_000), (1_000, 4_000)] {
        let receiver = Retiring::start(&[b"http/1.1"], move |_, stream, received| {
            serve_then_close(limit, b"", stream, received)
        })
        .await;
        send_many(receiver.authority.clone(), &receiver.url, requests, no_pause).await;
        println!(
            "closed after {limit}: {:?} connections and requests",
            receiver.counts()
        );
    }
}

#[tokio::test]
async fn request_is_not_sent_again_if_its_new_connection_closes() {
    let receiver = Retiring::start(&[b"http/1.1"], |_, stream, received| {
        serve_then_close(0, b"", stream, received)
    })
    .await;
    let (sender, pass) = (receiver.sender(), pass(&receiver.url).await);
    let exchange = post(&sender, &pass, &Fence::default()).await.unwrap();
    assert_eq!(exchange.outcome, Outcome::Failed(FailureReason::Protocol));
    assert_eq!(receiver.counts(), (1, 1));
}

#[tokio::test]
async fn fence_stops_request_before_it_is_sent_again() {
    let fence = Fence::default();
    let revoked = fence.clone();
    let receiver = Retiring::start(&[b"http/1.1"], move |_, stream, received| {
        let fence = revoked.clone();
        async move {
            let mut stream = BufReader::new(stream);
            read_request(&mut stream).await;
            stream.write_all(OK).await.unwrap();
            stream.flush().await.unwrap();
            read_request(&mut stream).await;
            received.fetch_add(2, Ordering::SeqCst);
            fence.revoke();
        }
    })
    .await;
    let (sender, pass) = (receiver.sender(), pass(&receiver.url).await);
    assert_eq!(post(&sender, &pass, &fence).await.unwrap().outcome, DELIVERED);
    assert_eq!(post(&sender, &pass, &fence).await, Err(Interrupted::Fenced));
    assert_eq!(receiver.counts(), (1, 2));
}

/// Sends one request to a receiver that reads it from its HTTP/2 connection, sends `GOAWAY` and closes the connection.
async fn post_to_leaving_receiver(last_stream_id: u32) -> (Exchange, (usize, usize)) {
    let receiver = Retiring::start(&[b"h2"], move |_, mut stream, received| async move {
        const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
        stream.write_all(SETTINGS).await.unwrap();
        stream.flush().await.unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(&BODY) {
            if stream.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return;
            }
        }
        received.fetch_add(1, Ordering::SeqCst);
        let mut goaway = vec![0, 0, 8, 7, 0, 0, 0, 0, 0];
        goaway.extend(last_stream_id.to_be_bytes());
        goaway.extend([0; 4]);
        stream.write_all(&goaway).await.unwrap();
        let _ = stream.shutdown().await;
    })
    .await;
    let exchange = post(&receiver.sender(), &pass(&receiver.url).await, &Fence::default()).await;
    (exchange.unwrap(), receiver.counts())
}

#[tokio::test]
async fn request_that_http2_receiver_may_have_processed_is_not_sent_again() {
    let (exchange, counts) = post_to_leaving_receiver(1).await;
    assert_eq!(exchange.outcome, Outcome::Failed(FailureReason::Protocol));
    assert_eq!(counts, (1, 1));
}

#[tokio::test]
async fn request_that_http2_receiver_always_refuses_is_sent_four_times() {
    let (exchange, counts) = post_to_leaving_receiver(0).await;
    assert_eq!(exchange.outcome, Outcome::Failed(FailureReason::Protocol));
    let detail = exchange.detail.unwrap().to_string();
    assert_eq!(
        detail,
        "The receiver refused the request on each of its HTTP/2 connections"
    );
    assert_eq!(counts, (4, 4));
}

/// A receiver that processes one request at a time, and is slow.
#[tokio::test]
async fn request_gets_its_own_connection_if_no_open_one_takes_it() {
    let receiver = Retiring::start(&[b"h2"], |number, stream, received| async move {
        let mut settings = h2::server::Builder::new();
        let handshake = settings.max_concurrent_streams(1).handshake::<_, Bytes>(stream);
        let mut connection = handshake.await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            received.fetch_add(1, Ordering::SeqCst);
            let is_warm_up = number == 0 && received.load(Ordering::SeqCst) == 1;
            if number > 0 || is_warm_up {
                let _ = respond.send_response(http::Response::new(()), true);
            } else {
                // The stream stays open without a response.
                std::mem::forget(respond);
            }
        }
    })
    .await;
    let (sender, pass) = (Arc::new(receiver.sender()), pass(&receiver.url).await);
    assert_eq!(
        post(&sender, &pass, &Fence::default()).await.unwrap().outcome,
        DELIVERED
    );
    let (slow, pass) = (Arc::clone(&sender), Arc::new(pass));
    let slow_pass = Arc::clone(&pass);
    let slow = tokio::spawn(async move { post(&slow, &slow_pass, &Fence::default()).await });
    while receiver.counts().1 < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let exchange = post(&sender, &pass, &Fence::default()).await.unwrap();
    assert_eq!(exchange.outcome, DELIVERED, "{:?}", exchange.detail);
    assert_eq!(receiver.counts(), (2, 3));
    assert!(!slow.is_finished());
}

#[tokio::test]
async fn receiver_that_stops_supporting_http2_gets_http1() {
    let receiver = Retiring::start(&[b"h2", b"http/1.1"], |number, stream, received| async move {
        if number == 0 {
            serve_then_refuse(1, stream, received).await;
        } else {
            serve_then_close(1_000, b"", stream, received).await;
        }
    })
    .await;
    let (sender, pass) = (receiver.sender(), pass(&receiver.url).await);
    for _ in 0..3 {
        let exchange = post(&sender, &pass, &Fence::default()).await.unwrap();
        assert_eq!(exchange.outcome, DELIVERED, "{:?}", exchange.detail);
    }
    assert_eq!(receiver.counts().1, 3);
}
