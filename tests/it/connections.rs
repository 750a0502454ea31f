//! Real connections that are slow, silent or too many. Nothing here measures a time: each ends, or is served.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::{get, post},
};
use caleida::server::http::{self, Limits};
use futures_util::stream;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// Far beyond every limit below: what has not happened by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

const TIGHT: Limits = Limits {
    connections: 8,
    head: Duration::from_millis(300),
    head_bytes: 8 * 1024,
    head_fields: 20,
    body: Duration::from_millis(300),
    unread: Duration::from_millis(300),
};

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn serve() -> Served {
    let router = Router::new()
        .route("/", get(|| async { "here" }))
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
    Served { address, stop, task }
}

/// What is answered until the server hangs up.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("it was never cut off");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    rest(stream).await
}

/// Writes a byte at a time until nobody takes any more.
async fn drip(mut stream: TcpStream, bytes: impl Iterator<Item = u8>) -> String {
    let (mut reader, mut writer) = stream.split();
    let dripping = async {
        for byte in bytes {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("it was never cut off");
    };
    let mut answer = Vec::new();
    let cut = async {
        let _ = reader.read_to_end(&mut answer).await;
    };
    timeout(PATIENCE, async {
        tokio::select! {
            () = cut => {}
            () = dripping => {}
        }
    })
    .await
    .expect("it was never cut off");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn whoever_sends_a_head_byte_by_byte_is_cut_off() {
    let served = serve().await;
    let stream = TcpStream::connect(served.address).await.unwrap();
    let head = b"GET / HTTP/1.1\r\nhost: test\r\nx-padding: ".iter().copied();
    drip(stream, head.chain(std::iter::repeat_n(b'a', 2_000))).await;
}

#[tokio::test]
async fn whoever_says_nothing_is_cut_off_before_and_after_a_request() {
    let served = serve().await;
    let silent = TcpStream::connect(served.address).await.unwrap();
    assert_eq!(rest(silent).await, "");
    let answer = ask(served.address, "GET / HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert!(answer.ends_with("here"), "{answer}");
}

#[tokio::test]
async fn whoever_sends_a_body_byte_by_byte_is_cut_off() {
    let served = serve().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = b"POST /body HTTP/1.1\r\nhost: test\r\ncontent-length: 2000\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let answer = drip(stream, std::iter::repeat_n(b'a', 2_000)).await;
    assert!(!answer.contains("2000"), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let served = serve().await;
    let long = format!("GET / HTTP/1.1\r\nx-long: {}\r\n\r\n", "a".repeat(10_000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x-more: 1\r\n".repeat(30));
    for request in [long, many] {
        let answer = ask(served.address, &request).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

#[tokio::test]
async fn whoever_does_not_read_is_cut_off() {
    let served = serve().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream
        .write_all(b"GET /endless HTTP/1.1\r\nhost: test\r\n\r\n")
        .await
        .unwrap();
    // Without reading a byte: the writes below go on until the server has hung up.
    let noticed = timeout(PATIENCE, async {
        while stream.write_all(b"x").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    noticed.await.expect("it was never cut off");
}

#[tokio::test]
async fn silent_ones_beyond_the_limit_do_not_keep_others_out() {
    let served = serve().await;
    let mut silent = Vec::new();
    for _ in 0..TIGHT.connections * 5 {
        silent.push(TcpStream::connect(served.address).await.unwrap());
    }
    let request = "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    let answer = timeout(PATIENCE, ask(served.address, request)).await.unwrap();
    assert!(answer.ends_with("here"), "{answer}");
    drop(silent);
}

#[tokio::test]
async fn an_answer_that_takes_long_and_one_that_goes_on_are_not_cut() {
    let served = serve().await;
    for (path, end) in [("/slow", "at last"), ("/stream", "part 11\n")] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        let answer = ask(served.address, &request).await;
        assert!(answer.contains(end), "{answer}");
    }
}

#[tokio::test]
async fn stopping_answers_what_is_under_way_and_ends_what_rests() {
    let served = serve().await;
    let request = "GET /slow HTTP/1.1\r\nhost: test\r\n\r\n";
    let mut under_way = TcpStream::connect(served.address).await.unwrap();
    under_way.write_all(request.as_bytes()).await.unwrap();
    // Its head was read when another one, sent later, is answered.
    ask(
        served.address,
        "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n",
    )
    .await;
    served.stop.cancel();
    let answer = rest(under_way).await;
    assert!(answer.contains("at last"), "{answer}");
    timeout(PATIENCE, served.task).await.unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}
