//! Slow, idle and excess connections. The tests do not measure times: each connection is either closed or served.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::StatusCode,
    routing::{get, post},
};
use caleida::server::http::{self, BodyLimits, Limits};
use futures_util::stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Far longer than every limit below.
const WAIT_TIMEOUT: Duration = Duration::from_secs(20);

/// Far more than the buffers of a connection.
const DISCARD: usize = 32 * 1024 * 1024;

const TIGHT: Limits = Limits {
    connections: 8,
    head: Duration::from_millis(300),
    head_bytes: 8 * 1024,
    head_fields: 20,
    body: BodyLimits {
        read: Duration::from_millis(300),
        discard: DISCARD,
        discard_time: Duration::from_secs(5),
        discard_pause: Duration::from_millis(300),
    },
    unread: Duration::from_millis(300),
};

struct RunningServer {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve() -> RunningServer {
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/refuse", post(|| async { StatusCode::UNAUTHORIZED }))
        .route("/body", post(|body: Bytes| async move { body.len().to_string() }))
        .route(
            "/slow",
            get(|| async {
                sleep(TIGHT.head * 4).await;
                "at last"
            }),
        )
        .route(
            "/stream",
            get(|| async {
                Body::from_stream(stream::unfold(0, |sent| async move {
                    sleep(TIGHT.head / 3).await;
                    (sent < 12).then(|| {
                        (
                            Ok::<_, std::io::Error>(Bytes::from(format!("part {sent}\n"))),
                            sent + 1,
                        )
                    })
                }))
            }),
        )
        .route(
            "/endless",
            get(|| async {
                Body::from_stream(stream::repeat_with(|| {
                    Ok::<_, std::io::Error>(Bytes::from(vec![0; 64 * 1024]))
                }))
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
    let task = tokio::spawn(http::serve(listener, router, TIGHT, stop.clone()));
    RunningServer { address, stop, task }
}

/// Reads until the server closes the connection.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut response = Vec::new();
    // A reset also ends the connection.
    let _ = timeout(WAIT_TIMEOUT, stream.read_to_end(&mut response))
        .await
        .expect("the connection was never closed");
    String::from_utf8_lossy(&response).into_owned()
}

async fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    read_to_end(stream).await
}

/// Writes one byte at a time until the connection is closed, and returns the response.
async fn drip(mut stream: TcpStream, bytes: impl Iterator<Item = u8>) -> String {
    let (mut reader, mut writer) = stream.split();
    let dripping = async {
        for byte in bytes {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("the connection was never closed");
    };
    let mut response = Vec::new();
    let cut = async {
        let _ = reader.read_to_end(&mut response).await;
    };
    timeout(WAIT_TIMEOUT, async {
        tokio::select! {
            () = cut => {}
            () = dripping => {}
        }
    })
    .await
    .expect("the connection was never closed");
    String::from_utf8_lossy(&response).into_owned()
}

#[tokio::test]
async fn slow_request_head_is_cut_off() {
    let server = serve().await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let head = b"GET / HTTP/1.1\r\nhost: test\r\nx-padding: ".iter().copied();
    drip(stream, head.chain(std::iter::repeat_n(b'a', 2_000))).await;
}

#[tokio::test]
async fn idle_connection_is_closed_before_and_after_request() {
    let server = serve().await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(read_to_end(idle).await, "");
    let response = send(server.address, "GET / HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert!(response.ends_with("here"), "{response}");
}

#[tokio::test]
async fn slow_request_body_is_cut_off() {
    let server = serve().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = b"POST /body HTTP/1.1\r\nhost: test\r\ncontent-length: 2000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let response = drip(stream, std::iter::repeat_n(b'a', 2_000)).await;
    assert!(!response.contains("2000"), "{response}");
}

#[tokio::test]
async fn client_that_sends_all_before_it_reads_gets_the_response() {
    let server = serve().await;
    let part = vec![b'a'; 1024 * 1024];
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    // The connection is used again after each rejected request.
    for chunked in [false, true] {
        let head = if chunked {
            "transfer-encoding: chunked".to_owned()
        } else {
            format!("content-length: {}", 30 * part.len())
        };
        let head = format!("POST /refuse HTTP/1.1\r\nhost: test\r\n{head}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        for _ in 0..30 {
            if chunked {
                let size = format!("{:x}\r\n", part.len());
                stream.write_all(size.as_bytes()).await.unwrap();
            }
            stream.write_all(&part).await.unwrap();
            if chunked {
                stream.write_all(b"\r\n").await.unwrap();
            }
        }
        if chunked {
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        }
        let response = read_head(&mut stream).await;
        assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    }
    let request = b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert!(read_to_end(stream).await.ends_with("here"));
}

/// Reads a response without a body.
async fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(WAIT_TIMEOUT, stream.read_u8()).await.unwrap();
        head.push(byte.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn client_that_sends_forever_is_cut_off_after_rejection() {
    let server = serve().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = b"POST /refuse HTTP/1.1\r\nhost: test\r\ncontent-length: 100000000000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let (part, mut sent) = (vec![b'a'; 64 * 1024], 0);
    let sending = timeout(WAIT_TIMEOUT, async {
        while stream.write_all(&part).await.is_ok() {
            sent += part.len();
        }
    });
    sending.await.expect("the connection was never closed");
    assert!((DISCARD..2 * DISCARD).contains(&sent), "{sent}");
}

#[tokio::test]
async fn client_that_pauses_or_drips_is_cut_off_after_rejection() {
    let server = serve().await;
    let head = "POST /refuse HTTP/1.1\r\nhost: test\r\ncontent-length: 100000\r\n\r\n";
    let response = send(server.address, head).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");

    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let response = drip(stream, std::iter::repeat_n(b'a', 1_000)).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
}

#[tokio::test]
async fn client_that_asks_before_sending_is_not_asked_for_a_rejected_body() {
    let server = serve().await;
    let request =
        "POST /refuse HTTP/1.1\r\nhost: test\r\nexpect: 100-continue\r\ncontent-length: 100000\r\n\r\n";
    let response = send(server.address, request).await;
    assert!(response.starts_with("HTTP/1.1 401 "), "{response}");
    assert!(response.contains("connection: close"), "{response}");
}

#[tokio::test]
async fn oversized_head_is_rejected() {
    let server = serve().await;
    let long = format!("GET / HTTP/1.1\r\nx-long: {}\r\n\r\n", "a".repeat(10_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x-more: 1\r\n".repeat(30));
    for request in [long, many] {
        let response = send(server.address, &request).await;
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
    }
}

#[tokio::test]
async fn client_that_does_not_read_is_cut_off() {
    let server = serve().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    // Never reads; the writes succeed until the server closes the connection.
    let closed = timeout(WAIT_TIMEOUT, async {
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    closed.await.expect("the connection was never closed");
}

#[tokio::test]
async fn idle_connections_over_limit_do_not_block_others() {
    let server = serve().await;
    let mut idle = Vec::new();
    for _ in 0..TIGHT.connections * 5 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let request = "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    let response = timeout(WAIT_TIMEOUT, send(server.address, request))
        .await
        .unwrap();
    assert!(response.ends_with("here"), "{response}");
    drop(idle);
}

#[tokio::test]
async fn slow_and_streamed_responses_are_not_cut_off() {
    let server = serve().await;
    for (path, end) in [("/slow", "at last"), ("/stream", "part 11\n")] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        let response = send(server.address, &request).await;
        assert!(response.contains(end), "{response}");
    }
}

#[tokio::test]
async fn shutdown_completes_requests_and_closes_listener() {
    let server = serve().await;
    let request = "GET /slow HTTP/1.1\r\nhost: test\r\n\r\n";
    let mut slow = TcpStream::connect(server.address).await.unwrap();
    slow.write_all(request.as_bytes()).await.unwrap();
    // The server has read the slow request once a later request has completed.
    send(
        server.address,
        "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
    )
    .await;
    server.stop.cancel();
    let response = read_to_end(slow).await;
    assert!(response.contains("at last"), "{response}");
    timeout(WAIT_TIMEOUT, server.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}
