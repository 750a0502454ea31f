//! Every hostile receiver ends as an exact outcome, in time, and within bounds.

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
        sender::{BODY_KEPT, Exchange, HEADERS_KEPT, Interrupted, Probe, Sender},
    },
    domain::{AttemptDetail, FailureReason, Outcome, Timestamp, TlsTrouble, remedy::explanation},
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use rustls::pki_types::CertificateDer;
use tokio::net::TcpListener;

use crate::support::{
    certificate::{Certificate, Identity},
    pass::pass,
    receiver::{Answer, Gate, Receiver},
};

/// Of an exchange that is to run into its deadline.
const SHORT: Duration = Duration::from_millis(300);
/// Of one that is not.
const LONG: Duration = Duration::from_secs(10);
const NOON: Timestamp = Timestamp::from_millis(1_795_435_200_000);

/// Sends every name to this machine, except those that fail.
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

/// The same step by step.
async fn probe(sender: &Sender, url: &str) -> Probe {
    let permit = Fence::default().permit();
    let probed = sender
        .probe(&pass(url).await, permit, headers(), BODY, NOON)
        .await;
    probed.unwrap()
}

/// One exchange with a receiver that answers so.
async fn exchange(answer: Answer, timeout: Duration) -> Exchange {
    let receiver = Receiver::start().await;
    receiver.answer(answer.clone());
    let started = Instant::now();
    let (sender, url) = (sender(timeout, Vec::new()), receiver.url("/hook"));
    let exchange = post(&sender, &url).await;
    assert!(
        started.elapsed() < timeout + Duration::from_secs(2),
        "ended after {:?}",
        started.elapsed()
    );
    // Whoever tests it is told the same.
    receiver.answer(answer.clone());
    let probed = probe(&sender, &url).await.exchange;
    assert_eq!(rounded(probed.outcome), rounded(exchange.outcome), "{answer:?}");
    // What is compressed although a test did not ask for it is shown as it is.
    let headers = &probed.response_headers;
    if headers.iter().all(|(name, _)| name != "content-encoding") {
        assert_eq!(probed.detail, exchange.detail, "{answer:?}");
        assert_eq!(probed.response_headers, exchange.response_headers, "{answer:?}");
    }
    exchange
}

const SECOND: Duration = Duration::from_secs(1);

/// How long it is until some moment depends on when it is asked.
fn rounded(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Answered { status, retry_after } => Outcome::Answered {
            status,
            retry_after: retry_after.map(|pause| Duration::from_secs((pause + SECOND / 2).as_secs())),
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
fn assert_tls_failed(exchange: &Exchange, trouble: TlsTrouble, detail: &str) {
    assert_failed(exchange, FailureReason::Tls, detail);
    assert_eq!(exchange.detail, Some(AttemptDetail::Tls(trouble)));
}

#[track_caller]
fn assert_failed(exchange: &Exchange, reason: FailureReason, detail: &str) {
    assert_eq!(exchange.outcome, Outcome::Failed(reason), "{:?}", exchange.detail);
    let shown = explanation(exchange.outcome, exchange.detail.as_ref());
    assert_eq!(shown.as_deref(), Some(detail));
    assert!(exchange.response_headers.is_empty() && exchange.response_body.is_empty());
}

#[tokio::test]
async fn a_call_arrives_as_it_was_sent_and_the_answer_is_kept() {
    let receiver = Receiver::start().await;
    receiver.answer(Answer::full(
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
async fn every_status_is_told_as_it_is() {
    let receiver = Receiver::start().await;
    let sender = sender(LONG, Vec::new());
    for status in [200, 204, 301, 304, 400, 404, 410, 429, 500, 503, 599, 999] {
        receiver.answer(Answer::Status(status));
        assert_eq!(post(&sender, &receiver.url("/")).await.outcome, answered(status));
    }
}

#[tokio::test]
async fn the_connection_is_kept_for_the_next_call() {
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
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (receiver, target) = (Receiver::start().await, Receiver::start().await);
    for url in [
        target.url("/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        receiver.answer(Answer::Redirect(url));
        assert_eq!(
            post(&sender(LONG, Vec::new()), &receiver.url("/")).await.outcome,
            answered(302)
        );
    }
    assert!(target.received().is_empty());
}

#[tokio::test]
async fn retry_after_is_read_as_seconds_and_as_a_date() {
    for value in ["120", "Mon, 23 Nov 2026 12:02:00 GMT"] {
        let exchange = exchange(Answer::full(429, &[("Retry-After", value)], ""), LONG).await;
        let Outcome::Answered {
            status: 429,
            retry_after: Some(pause),
        } = exchange.outcome
        else {
            panic!("{:?}", exchange.outcome)
        };
        // A date is compared with the moment of the answer, some milliseconds after noon.
        assert!(
            pause <= Duration::from_secs(120) && pause > Duration::from_secs(110),
            "{pause:?}"
        );
    }
}

#[tokio::test]
async fn a_receiver_that_never_answers_costs_no_more_than_the_deadline() {
    for silent in [
        Answer::Never,
        Answer::DripHeaders,
        Answer::Interim,
        Answer::Hold(Gate::closed(), 200),
    ] {
        let exchange = exchange(silent, SHORT).await;
        assert_failed(
            &exchange,
            FailureReason::Timeout,
            "No complete answer within 300 ms",
        );
    }
}

#[tokio::test]
async fn a_late_answer_still_counts_before_the_deadline() {
    let receiver = Receiver::start().await;
    let gate = Gate::closed();
    receiver.answer(Answer::Hold(gate.clone(), 200));
    let sender = sender(LONG, Vec::new());
    let url = receiver.url("/");
    let (exchange, ()) = tokio::join!(post(&sender, &url), async {
        receiver.wait_for(1).await;
        gate.open();
    });
    assert_eq!(exchange.outcome, answered(200));
}

#[tokio::test]
async fn a_connection_that_breaks_before_an_answer_is_a_broken_answer() {
    let cut = Answer::Raw(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec());
    for broken in [Answer::Close, Answer::Raw(Vec::new()), cut] {
        let exchange = exchange(broken, LONG).await;
        assert_failed(
            &exchange,
            FailureReason::Protocol,
            "The receiver closed the connection before answering",
        );
    }
}

#[tokio::test]
async fn what_is_not_http_is_a_broken_answer() {
    let raw = |bytes: &[u8]| Answer::Raw(bytes.to_vec());
    let too_many_headers = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x-a: 1\r\n".repeat(1000));
    for garbage in [
        Answer::Garbage,
        raw(b"220 mail.example ESMTP\r\n"),
        raw(b"HTTP/1.1 abc OK\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n"),
        raw(too_many_headers.as_bytes()),
        raw(&[b'x'; 1024 * 1024]),
    ] {
        let exchange = exchange(garbage, LONG).await;
        assert_failed(&exchange, FailureReason::Protocol, "The answer is not HTTP");
    }
}

#[tokio::test]
async fn nobody_listening_is_named_with_its_address() {
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
async fn a_body_without_end_is_read_up_to_the_cap_and_dropped() {
    for endless in [
        Answer::EndlessBody,
        Answer::GzipBomb(1 << 24),
        Answer::BrotliBomb(1 << 24),
    ] {
        let exchange = exchange(endless, LONG).await;
        assert_eq!(exchange.outcome, answered(200));
        assert_eq!(exchange.response_body.len(), BODY_KEPT);
        assert_eq!((exchange.response_truncated, exchange.detail), (true, None));
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_cap_is_whole() {
    let body = vec![b'.'; BODY_KEPT];
    let whole = exchange(Answer::full(200, &[], &body), LONG).await;
    assert_eq!(
        (whole.response_body.len(), whole.response_truncated),
        (BODY_KEPT, false)
    );
    let longer = exchange(Answer::full(200, &[], [body, vec![b'.']].concat()), LONG).await;
    assert_eq!(
        (longer.response_body.len(), longer.response_truncated),
        (BODY_KEPT, true)
    );
}

#[tokio::test]
async fn a_compressed_body_is_kept_readable() {
    for compressed in [Answer::GzipBomb(100), Answer::BrotliBomb(100)] {
        let exchange = exchange(compressed, LONG).await;
        assert_eq!(
            (exchange.response_body, exchange.response_truncated),
            (vec![0; 100], false)
        );
    }
}

#[tokio::test]
async fn the_status_decides_whatever_becomes_of_the_body() {
    let dripping = exchange(Answer::DripBody, SHORT).await;
    assert_eq!(dripping.outcome, answered(200));
    assert_eq!(
        dripping.detail,
        text("The body of the answer did not end in time")
    );
    assert!(dripping.response_body.starts_with(b"..") && dripping.response_truncated);

    let cut = exchange(Answer::CutBody, LONG).await;
    assert_eq!(cut.outcome, answered(200));
    assert_eq!(
        cut.detail,
        text("The connection broke in the middle of the answer's body")
    );
    assert_eq!(
        (cut.response_body.as_slice(), cut.response_truncated),
        (b"only this".as_slice(), true)
    );

    for encoding in ["gzip", "br", "deflate"] {
        let lying = exchange(
            Answer::full(500, &[("Content-Encoding", encoding)], "plain text"),
            LONG,
        )
        .await;
        assert_eq!(lying.outcome, answered(500));
        let detail = "The body of the answer is not compressed as its headers say";
        assert_eq!(lying.detail, text(detail), "{encoding}");
    }
}

#[tokio::test]
async fn odd_headers_are_kept_as_well_as_they_can_be_read() {
    let headers = vec![
        ("x-latin".to_owned(), b"caf\xe9".to_vec()),
        ("x-utf8".to_owned(), "café".as_bytes().to_vec()),
        ("x-long".to_owned(), vec![b'a'; 5000]),
        ("not a header".to_owned(), b"1".to_vec()),
    ];
    let exchange = exchange(Answer::Full(200, headers, b"ok".to_vec()), LONG).await;
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
async fn of_many_headers_the_first_are_kept() {
    let headers = (0..90).map(|n| (format!("x-{n}"), b"1".to_vec())).collect();
    let exchange = exchange(Answer::Full(200, headers, Vec::new()), LONG).await;
    assert_eq!(
        (exchange.outcome, exchange.response_headers.len()),
        (answered(200), HEADERS_KEPT)
    );
}

/// Finds the receiver, but by then nothing may be sent any more.
struct TooLate(Fence);

#[async_trait]
impl Lookup for TooLate {
    async fn lookup(&self, _name: &str) -> Result<Vec<IpAddr>, LookupError> {
        self.0.revoke();
        Ok(vec!["127.0.0.1".parse().unwrap()])
    }
}

#[tokio::test]
async fn what_may_not_be_sent_any_more_when_it_is_connected_is_not_sent() {
    for receiver in [
        Receiver::start().await,
        Receiver::start_tls(Certificate::Good).await,
    ] {
        let fence = Fence::default();
        let loopback = vec!["127.0.0.0/8".parse().unwrap()];
        let guard = Guard::with_lookup(loopback, TooLate(fence.clone()));
        let roots = receiver.authority().into_iter().collect();
        let sender = Sender::new(Arc::new(guard), LONG, roots).unwrap();
        let url = receiver.url("/").replace("127.0.0.1", "receiver.test");
        let (pass, permit) = (pass(&url).await, fence.permit());
        let refused = sender.send(&pass, permit, HeaderMap::new(), BODY, NOON).await;
        assert_eq!(refused, Err(Interrupted::Fenced));
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(receiver.received().is_empty());
    }
}

#[tokio::test]
async fn a_forbidden_address_is_never_called() {
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
    // With loopback allowed, what is not loopback stays forbidden, and so does a name of which one address is.
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
async fn a_name_that_does_not_resolve_is_told_from_one_that_could_not_be_looked_up() {
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
        "The name service did not answer for silent.test",
    );
}

#[tokio::test]
async fn a_receiver_with_a_trusted_certificate_is_called_by_name_and_by_address() {
    let receiver = Receiver::start_tls(Certificate::Good).await;
    let sender = sender(LONG, receiver.authority().into_iter().collect());
    let by_name = format!("https://receiver.test:{}/", receiver.port());
    for url in [receiver.url("/"), by_name] {
        let exchange = post(&sender, &url).await;
        assert_eq!(exchange.outcome, answered(200), "{:?}", exchange.detail);
    }
}

#[tokio::test]
async fn each_bad_certificate_is_named_and_nothing_is_sent() {
    for (certificate, trusted, trouble, detail) in [
        (
            Certificate::Good,
            false,
            TlsTrouble::UnknownIssuer,
            "The certificate's issuer is not trusted",
        ),
        (
            Certificate::SelfSigned,
            true,
            TlsTrouble::UnknownIssuer,
            "The certificate's issuer is not trusted",
        ),
        (
            Certificate::OtherName,
            true,
            TlsTrouble::WrongName,
            "The certificate is for another name",
        ),
        (
            Certificate::Expired,
            true,
            TlsTrouble::CertificateExpired,
            "The certificate has expired",
        ),
    ] {
        let receiver = Receiver::start_tls(certificate).await;
        let roots = receiver.authority().filter(|_| trusted).into_iter().collect();
        let exchange = post(&sender(LONG, roots), &receiver.url("/")).await;
        assert_tls_failed(&exchange, trouble, detail);
        assert!(receiver.received().is_empty());
    }
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_named() {
    let sender = sender(LONG, Vec::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (say, trouble, detail) in [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            TlsTrouble::NoTls,
            "The receiver does not speak TLS on this port",
        ),
        (
            b"",
            TlsTrouble::ClosedDuringHandshake,
            "The receiver closed the connection during the TLS handshake",
        ),
    ] {
        let url = format!("https://{address}/");
        let (exchange, ()) = tokio::join!(post(&sender, &url), async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut hello = [0; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut tcp, &mut hello).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut tcp, say).await;
        });
        assert_tls_failed(&exchange, trouble, detail);
    }
}

#[tokio::test]
async fn a_silent_tls_port_costs_no_more_than_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let exchange = post(&sender(SHORT, Vec::new()), &url).await;
    assert_failed(
        &exchange,
        FailureReason::Timeout,
        "No complete answer within 300 ms",
    );
}

#[tokio::test]
async fn http_2_is_spoken_where_it_is_offered() {
    let identity = Identity::make(Certificate::Good);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/hook", listener.local_addr().unwrap());
    let acceptor = identity.acceptor(b"h2");
    let sender = sender(LONG, vec![identity.authority]);
    let serve = async {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(acceptor.accept(tcp).await.unwrap())
            .await
            .unwrap();
        while let Some(call) = connection.accept().await {
            let (request, mut respond) = call.unwrap();
            assert_eq!(
                (request.method().as_str(), request.uri().path()),
                ("POST", "/hook")
            );
            let mut response = axum::http::Response::new(());
            *response.status_mut() = axum::http::StatusCode::ACCEPTED;
            respond.send_response(response, true).unwrap();
        }
    };
    tokio::select! {
        exchange = post(&sender, &url) => assert_eq!(exchange.outcome, answered(202), "{:?}", exchange.detail),
        () = serve => panic!("the connection ended before the call"),
    }
}

#[tokio::test]
async fn a_test_times_each_step_and_reads_the_certificate() {
    let receiver = Receiver::start_tls(Certificate::Good).await;
    let sender = sender(LONG, receiver.authority().into_iter().collect());
    let url = receiver.url("/hook?a=1").replace("127.0.0.1", "receiver.test");
    let seen = probe(&sender, &url).await;
    assert_eq!(seen.exchange.outcome, answered(200));
    let timings = seen.timings;
    let steps = [timings.dns, timings.connect, timings.tls, timings.first_byte].map(Option::unwrap);
    assert!(steps.iter().sum::<Duration>() <= timings.total, "{timings:?}");
    let certificate = seen.certificate.unwrap();
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

    // Without TLS and without a name there are fewer steps.
    let receiver = Receiver::start().await;
    let seen = probe(&sender, &receiver.url("/")).await;
    assert_eq!(
        (seen.timings.dns, seen.timings.tls, seen.certificate),
        (None, None, None)
    );
    assert!(seen.timings.connect.is_some() && seen.timings.first_byte.is_some());
}

#[tokio::test]
async fn a_test_fails_where_and_as_a_delivery_would() {
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
        let seen = probe(&sender, &url).await;
        assert!(matches!(sent.outcome, Outcome::Failed(_)), "{url}");
        assert_eq!(seen.exchange, sent, "{url}");
        assert_eq!((seen.timings.first_byte, seen.certificate), (None, None), "{url}");
    }
}
