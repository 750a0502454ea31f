//! The sender with well-behaved and hostile receivers: exact outcomes within time and size limits.

mod tls;

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;
use caleida::{
    delivery::{
        fence::Fence,
        guard::{Guard, Lookup, LookupError},
        sender::{Exchange, Interrupted, MAX_RESPONSE_BODY, MAX_RESPONSE_HEADERS, Probe, Sender},
    },
    domain::{AttemptDetail, FailureReason, Outcome, Timestamp, TlsProblem, remedy::explanation},
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;

use crate::support::{
    certificate::Certificate,
    pass::pass,
    receiver::{Latch, Receiver, Reply},
};

/// Deadline for exchanges that should time out.
const SHORT: Duration = Duration::from_millis(300);
/// Deadline for exchanges that should complete.
const LONG: Duration = Duration::from_secs(10);
const NOON: Timestamp = Timestamp::from_millis(1_795_435_200_000);

/// Resolves every name to loopback, with a few exceptions.
struct Loopback;

#[async_trait]
impl Lookup for Loopback {
    async fn lookup(&self, name: &str) -> Result<Vec<IpAddr>, LookupError> {
        match name {
            "nowhere.test" => Err(LookupError::NotFound),
            "silent.test" => Err(LookupError::Unavailable),
            "metadata.test" => Ok(vec!["169.254.169.254".parse().unwrap()]),
            "mixed.test" => Ok(vec!["127.0.0.1".parse().unwrap(), "10.0.0.1".parse().unwrap()]),
            _ => Ok(vec!["127.0.0.1".parse().unwrap()]),
        }
    }
}

fn sender(timeout: Duration, roots: Vec<CertificateDer<'static>>) -> Sender {
    let loopback = vec!["127.0.0.0/8".parse().unwrap()];
    Sender::new(Arc::new(Guard::with_lookup(loopback, Loopback)), timeout, roots).unwrap()
}

const BODY: Bytes = Bytes::from_static(b"{\"n\":1}");

fn headers() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

async fn post(sender: &Sender, url: &str) -> Exchange {
    let permit = Fence::default().permit();
    let sent = sender.send(&pass(url).await, permit, headers(), BODY, NOON).await;
    sent.unwrap()
}

/// Sends a test request with timings of each step.
async fn probe(sender: &Sender, url: &str) -> Probe {
    let permit = Fence::default().permit();
    let probed = sender
        .probe(&pass(url).await, permit, headers(), BODY, NOON)
        .await;
    probed.unwrap()
}

/// Sends one request to a receiver with this reply, and asserts that a probe has the same outcome.
async fn exchange(reply: Reply, timeout: Duration) -> Exchange {
    let receiver = Receiver::start().await;
    receiver.reply(reply.clone());
    let started = Instant::now();
    let (sender, url) = (sender(timeout, Vec::new()), receiver.url("/hook"));
    let exchange = post(&sender, &url).await;
    assert!(
        started.elapsed() < timeout + Duration::from_secs(2),
        "ended after {:?}",
        started.elapsed()
    );
    receiver.reply(reply.clone());
    let probed = probe(&sender, &url).await.exchange;
    assert_eq!(rounded(probed.outcome), rounded(exchange.outcome), "{reply:?}");
    // A probe does not accept compression, so it does not decompress.
    let headers = &probed.response_headers;
    if headers.iter().all(|(name, _)| name != "content-encoding") {
        assert_eq!(probed.detail, exchange.detail, "{reply:?}");
        assert_eq!(probed.response_headers, exchange.response_headers, "{reply:?}");
    }
    exchange
}

const SECOND: Duration = Duration::from_secs(1);

/// Rounds `retry_after` to seconds, because the delay until a date depends on the current time.
fn rounded(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Answered { status, retry_after } => Outcome::Answered {
            status,
            retry_after: retry_after.map(|delay| Duration::from_secs((delay + SECOND / 2).as_secs())),
        },
        failed @ Outcome::Failed(_) => failed,
    }
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered {
        status,
        retry_after: None,
    }
}

fn text(detail: &str) -> Option<AttemptDetail> {
    Some(AttemptDetail::Text(detail.to_owned()))
}

#[track_caller]
fn assert_tls_failed(exchange: &Exchange, problem: TlsProblem, detail: &str) {
    assert_failed(exchange, FailureReason::Tls, detail);
    assert_eq!(exchange.detail, Some(AttemptDetail::Tls(problem)));
}

#[track_caller]
fn assert_failed(exchange: &Exchange, reason: FailureReason, detail: &str) {
    assert_eq!(exchange.outcome, Outcome::Failed(reason), "{:?}", exchange.detail);
    let shown = explanation(exchange.outcome, exchange.detail.as_ref());
    assert_eq!(shown.as_deref(), Some(detail));
    assert!(exchange.response_headers.is_empty() && exchange.response_body.is_empty());
}

#[tokio::test]
async fn sends_request_and_keeps_response() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::full(
        201,
        &[("X-Request-Id", "17"), ("Set-Cookie", "a=b")],
        "thanks",
    ));
    let exchange = post(&sender(LONG, Vec::new()), &receiver.url("/hook?a=1")).await;

    assert_eq!(exchange.outcome, answered(201));
    assert_eq!((exchange.detail, exchange.response_truncated), (None, false));
    assert_eq!(exchange.response_body, b"thanks");
    let header = |name: &str| {
        exchange
            .response_headers
            .iter()
            .find(|(at, _)| at == name)
            .unwrap()
            .1
            .as_str()
    };
    assert_eq!(
        (header("x-request-id"), header("set-cookie")),
        ("17", "[redacted]")
    );

    let calls = receiver.wait_for(1).await;
    let call = &calls[0];
    assert_eq!((call.method.as_str(), call.path.as_str()), ("POST", "/hook?a=1"));
    assert_eq!(call.body, b"{\"n\":1}");
    assert_eq!(call.header("content-type"), "application/json");
    assert_eq!(
        call.header("user-agent"),
        concat!("Caleida-Webhooks/", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(call.header("content-length"), "7");
    assert_eq!(call.header("referer"), "");
}

#[tokio::test]
async fn returns_every_status() {
    let receiver = Receiver::start().await;
    let sender = sender(LONG, Vec::new());
    for status in [200, 204, 301, 304, 400, 404, 410, 429, 500, 503, 599, 999] {
        receiver.reply(Reply::Status(status));
        assert_eq!(post(&sender, &receiver.url("/")).await.outcome, answered(status));
    }
}

#[tokio::test]
async fn reuses_connection() {
    let receiver = Receiver::start().await;
    let sender = sender(LONG, Vec::new());
    for _ in 0..3 {
        post(&sender, &receiver.url("/")).await;
    }
    let calls = receiver.received();
    assert!(calls.is_sorted_by_key(|call| call.at));
    let connections: Vec<_> = calls.iter().map(|call| call.connection).collect();
    assert_eq!(connections, [0, 0, 0]);
}

#[tokio::test]
async fn does_not_follow_redirects() {
    let (receiver, target) = (Receiver::start().await, Receiver::start().await);
    for url in [
        target.url("/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        receiver.reply(Reply::Redirect(url));
        assert_eq!(
            post(&sender(LONG, Vec::new()), &receiver.url("/")).await.outcome,
            answered(302)
        );
    }
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn parses_retry_after_as_seconds_and_date() {
    for value in ["120", "Mon, 23 Nov 2026 12:02:00 GMT"] {
        let exchange = exchange(Reply::full(429, &[("Retry-After", value)], ""), LONG).await;
        let Outcome::Answered {
            status: 429,
            retry_after: Some(delay),
        } = exchange.outcome
        else {
            panic!("{:?}", exchange.outcome)
        };
        // A date is relative to the time of the response, some milliseconds after noon.
        assert!(
            delay <= Duration::from_secs(120) && delay > Duration::from_secs(110),
            "{delay:?}"
        );
    }
}

#[tokio::test]
async fn times_out_at_deadline_without_response() {
    for silent in [
        Reply::Never,
        Reply::DripHeaders,
        Reply::EndlessInterim,
        Reply::Hold(Latch::closed(), 200),
    ] {
        let exchange = exchange(silent, SHORT).await;
        assert_failed(
            &exchange,
            FailureReason::Timeout,
            "No complete response within 300 ms",
        );
    }
}

#[tokio::test]
async fn accepts_late_response_before_deadline() {
    let receiver = Receiver::start().await;
    let latch = Latch::closed();
    receiver.reply(Reply::Hold(latch.clone(), 200));
    let sender = sender(LONG, Vec::new());
    let url = receiver.url("/");
    let (exchange, ()) = tokio::join!(post(&sender, &url), async {
        receiver.wait_for(1).await;
        latch.open();
    });
    assert_eq!(exchange.outcome, answered(200));
}

#[tokio::test]
async fn connection_lost_before_response_is_protocol_failure() {
    let partial = Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec());
    for broken in [Reply::Reset, Reply::Raw(Vec::new()), partial] {
        let exchange = exchange(broken, LONG).await;
        assert_failed(
            &exchange,
            FailureReason::Protocol,
            "The receiver closed the connection before it responded",
        );
    }
}

#[tokio::test]
async fn non_http_response_is_protocol_failure() {
    let raw = |bytes: &[u8]| Reply::Raw(bytes.to_vec());
    let too_many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-a: 1\r\n".repeat(1_001));
    for garbage in [
        Reply::Garbage,
        raw(b"220 mail.example ESMTP\r\n"),
        raw(b"HTTP/1.1 abc OK\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n"),
        raw(too_many_headers.as_bytes()),
        raw(&[b'x'; 1024 * 1024]),
    ] {
        let exchange = exchange(garbage, LONG).await;
        assert_failed(&exchange, FailureReason::Protocol, "The response is not HTTP");
    }
}

#[tokio::test]
async fn refused_connection_names_the_address() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let sender = sender(LONG, Vec::new());
    let exchange = post(&sender, &format!("http://{free}/secret-path?token=1")).await;
    assert_failed(
        &exchange,
        FailureReason::Connect,
        &format!("Connection refused by {free}"),
    );
    let exchange = post(&sender, &format!("http://receiver.test:{}/", free.port())).await;
    let detail = format!("Connection refused by receiver.test:{}", free.port());
    assert_failed(&exchange, FailureReason::Connect, &detail);
}

#[tokio::test]
async fn endless_body_is_truncated_at_cap() {
    for endless in [
        Reply::EndlessBody,
        Reply::GzipBomb(1 << 24),
        Reply::BrotliBomb(1 << 24),
    ] {
        let exchange = exchange(endless, LONG).await;
        assert_eq!(exchange.outcome, answered(200));
        assert_eq!(exchange.response_body.len(), MAX_RESPONSE_BODY);
        assert_eq!((exchange.response_truncated, exchange.detail), (true, None));
    }
}

#[tokio::test]
async fn body_of_exactly_the_cap_is_not_truncated() {
    let body = vec![b'.'; MAX_RESPONSE_BODY];
    let whole = exchange(Reply::full(200, &[], &body), LONG).await;
    assert_eq!(
        (whole.response_body.len(), whole.response_truncated),
        (MAX_RESPONSE_BODY, false)
    );
    let longer = exchange(Reply::full(200, &[], [body, vec![b'.']].concat()), LONG).await;
    assert_eq!(
        (longer.response_body.len(), longer.response_truncated),
        (MAX_RESPONSE_BODY, true)
    );
}

#[tokio::test]
async fn compressed_body_is_kept_decompressed() {
    for compressed in [Reply::GzipBomb(100), Reply::BrotliBomb(100)] {
        let exchange = exchange(compressed, LONG).await;
        assert_eq!(
            (exchange.response_body, exchange.response_truncated),
            (vec![0; 100], false)
        );
    }
}

#[tokio::test]
async fn status_counts_even_if_body_is_broken() {
    let dripping = exchange(Reply::DripBody, SHORT).await;
    assert_eq!(dripping.outcome, answered(200));
    assert_eq!(
        dripping.detail,
        text("The response body was not complete before the timeout")
    );
    assert!(dripping.response_body.starts_with(b"..") && dripping.response_truncated);

    let truncated = exchange(Reply::TruncatedBody, LONG).await;
    assert_eq!(truncated.outcome, answered(200));
    assert_eq!(
        truncated.detail,
        text("The connection was lost in the middle of the response body")
    );
    assert_eq!(
        (truncated.response_body.as_slice(), truncated.response_truncated),
        (b"only this".as_slice(), true)
    );

    for encoding in ["gzip", "br", "deflate"] {
        let lying = exchange(
            Reply::full(500, &[("Content-Encoding", encoding)], "plain text"),
            LONG,
        )
        .await;
        assert_eq!(lying.outcome, answered(500));
        let detail = "The response body does not match its content-encoding";
        assert_eq!(lying.detail, text(detail), "{encoding}");
    }
}

#[tokio::test]
async fn malformed_headers_are_kept_as_far_as_readable() {
    let headers = vec![
        ("x-latin".to_owned(), b"caf\xe9".to_vec()),
        ("x-utf8".to_owned(), "café".as_bytes().to_vec()),
        ("x-long".to_owned(), vec![b'a'; 5000]),
        ("not a header".to_owned(), b"1".to_vec()),
    ];
    let exchange = exchange(Reply::Full(200, headers, b"ok".to_vec()), LONG).await;
    assert_eq!(exchange.outcome, answered(200));
    let header = |name: &str| {
        exchange
            .response_headers
            .iter()
            .find(|(at, _)| at == name)
            .unwrap()
            .1
            .as_str()
    };
    assert_eq!((header("x-latin"), header("x-utf8")), ("caf\u{fffd}", "café"));
    assert_eq!(header("x-long").len(), 1024);
    assert_eq!(exchange.response_body, b"ok");
}

#[tokio::test]
async fn keeps_first_headers_up_to_limit() {
    let headers = (0..90).map(|n| (format!("x-{n}"), b"1".to_vec())).collect();
    let exchange = exchange(Reply::Full(200, headers, Vec::new()), LONG).await;
    assert_eq!(
        (exchange.outcome, exchange.response_headers.len()),
        (answered(200), MAX_RESPONSE_HEADERS)
    );
}

/// Resolves names to loopback and revokes the permits of the fence.
struct RevokingLookup(Fence);

#[async_trait]
impl Lookup for RevokingLookup {
    async fn lookup(&self, _name: &str) -> Result<Vec<IpAddr>, LookupError> {
        self.0.revoke();
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

#[tokio::test]
async fn sends_nothing_if_permit_is_revoked_while_connecting() {
    for receiver in [
        Receiver::start().await,
        Receiver::start_tls(Certificate::Good).await,
    ] {
        let fence = Fence::default();
        let loopback = vec!["127.0.0.0/8".parse().unwrap()];
        let guard = Guard::with_lookup(loopback, RevokingLookup(fence.clone()));
        let roots: Vec<_> = receiver.authority().into_iter().collect();
        let sender = Sender::new(Arc::new(guard), LONG, roots.clone()).unwrap();
        let url = receiver.url("/").replace("127.0.0.1", "receiver.test");
        let (pass, permit) = (pass(&url).await, fence.permit());
        let refused = sender.send(&pass, permit, HeaderMap::new(), BODY, NOON).await;
        assert_eq!(refused, Err(Interrupted::Fenced));
        // A later request arrives, the refused one does not.
        assert_eq!(
            post(&self::sender(LONG, roots), &url).await.outcome,
            answered(200)
        );
        assert_eq!(receiver.received().len(), 1);
    }
}

#[tokio::test]
async fn blocked_addresses_are_never_called() {
    let receiver = Receiver::start().await;
    let strict = Sender::new(
        Arc::new(Guard::with_lookup(Vec::new(), Loopback)),
        LONG,
        Vec::new(),
    )
    .unwrap();
    let port = receiver.port();
    for (host, ip) in [
        ("127.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("receiver.test", "127.0.0.1"),
    ] {
        let exchange = post(&strict, &format!("http://{host}:{port}/")).await;
        let detail = format!("{ip} is not a public address, so nothing was sent");
        assert_failed(&exchange, FailureReason::Blocked, &detail);
    }
    // With loopback allowed, other private addresses stay blocked, and so does a name with one such address.
    let lenient = sender(LONG, Vec::new());
    for (host, ip) in [
        ("metadata.test", "169.254.169.254"),
        ("mixed.test", "10.0.0.1"),
        ("[fd00:ec2::254]", "fd00:ec2::254"),
    ] {
        let exchange = post(&lenient, &format!("http://{host}:{port}/")).await;
        let detail = format!("{ip} is not a public address, so nothing was sent");
        assert_failed(&exchange, FailureReason::Blocked, &detail);
    }
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn distinguishes_unknown_name_from_failed_lookup() {
    let sender = sender(LONG, Vec::new());
    let exchange = post(&sender, "https://nowhere.test/secret").await;
    assert_failed(
        &exchange,
        FailureReason::Dns,
        "nowhere.test does not resolve to any address",
    );
    let exchange = post(&sender, "https://silent.test/secret").await;
    assert_failed(
        &exchange,
        FailureReason::Dns,
        "The DNS lookup of silent.test failed",
    );
}

/// Browsers and curl accept them too.
#[tokio::test]
async fn response_can_have_many_headers() {
    let receiver = Receiver::start().await;
    let names: Vec<_> = (0..500).map(|n| format!("x-{n}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "value")).collect();
    receiver.reply_always(Reply::full(200, &headers, ""));
    let sender = sender(LONG, Vec::new());
    let exchange = post(&sender, &receiver.url("/")).await;
    assert_eq!(exchange.outcome, answered(200), "{:?}", exchange.detail);
    let probed = probe(&sender, &receiver.url("/")).await;
    assert_eq!(probed.exchange.outcome, answered(200));
}

#[tokio::test]
async fn probe_returns_timings_and_certificate() {
    let receiver = Receiver::start_tls(Certificate::Good).await;
    let sender = sender(LONG, receiver.authority().into_iter().collect());
    let url = receiver.url("/hook?a=1").replace("127.0.0.1", "receiver.test");
    let probed = probe(&sender, &url).await;
    assert_eq!(probed.exchange.outcome, answered(200));
    let timings = probed.timings;
    let steps = [timings.dns, timings.connect, timings.tls, timings.first_byte].map(Option::unwrap);
    assert!(steps.iter().sum::<Duration>() <= timings.total, "{timings:?}");
    let certificate = probed.certificate.unwrap();
    assert_eq!(certificate.names, ["127.0.0.1", "receiver.test"]);
    assert!(certificate.not_before < NOON && NOON < certificate.not_after);
    assert_eq!(certificate.protocol, "TLSv1.3");
    let call = &receiver.wait_for(1).await[0];
    assert_eq!(call.path, "/hook?a=1");
    assert_eq!(call.header("host"), format!("receiver.test:{}", receiver.port()));
    assert_eq!(
        (call.body.as_slice(), call.header("content-length")),
        (&BODY[..], "7")
    );

    // Without TLS and host name, there are fewer steps.
    let receiver = Receiver::start().await;
    let probed = probe(&sender, &receiver.url("/")).await;
    assert_eq!(
        (probed.timings.dns, probed.timings.tls, probed.certificate),
        (None, None, None)
    );
    assert!(probed.timings.connect.is_some() && probed.timings.first_byte.is_some());
}

#[tokio::test]
async fn probe_fails_like_a_delivery() {
    let tls = |kind| async move {
        let receiver = Receiver::start_tls(kind).await;
        let sender = sender(LONG, receiver.authority().into_iter().collect());
        (sender, receiver.url("/"), Some(receiver))
    };
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let plain = Receiver::start().await;
    for (sender, url, _receiver) in [
        tls(Certificate::Expired).await,
        tls(Certificate::OtherName).await,
        tls(Certificate::SelfSigned).await,
        (sender(LONG, Vec::new()), format!("http://{free}/"), None),
        (sender(LONG, Vec::new()), "http://nowhere.test/".to_owned(), None),
        (sender(LONG, Vec::new()), "http://metadata.test/".to_owned(), None),
        (sender(LONG, Vec::new()), "http://10.0.0.1/".to_owned(), None),
        (
            sender(LONG, Vec::new()),
            plain.url("/").replace("http:", "https:"),
            None,
        ),
    ] {
        let sent = post(&sender, &url).await;
        let probed = probe(&sender, &url).await;
        assert!(matches!(sent.outcome, Outcome::Failed(_)), "{url}");
        assert_eq!(probed.exchange, sent, "{url}");
        assert_eq!(
            (probed.timings.first_byte, probed.certificate),
            (None, None),
            "{url}"
        );
    }
}
