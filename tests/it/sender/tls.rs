//! TLS: certificates, handshakes and HTTP/2.

use super::*;
use crate::support::certificate::Identity;

#[tokio::test]
async fn trusted_certificate_works_by_name_and_address() {
    let receiver = Receiver::start_tls(Certificate::Good).await;
    let sender = sender(LONG, receiver.authority().into_iter().collect());
    let by_name = format!("https://receiver.test:{}/", receiver.port());
    for url in [receiver.url("/"), by_name] {
        let exchange = post(&sender, &url).await;
        assert_eq!(exchange.outcome, answered(200), "{:?}", exchange.detail);
    }
}

#[tokio::test]
async fn invalid_certificates_are_named_and_nothing_is_sent() {
    for (certificate, trusted, trouble, detail) in [
        (
            Certificate::Good,
            false,
            TlsProblem::UnknownIssuer,
            "The certificate's issuer is not trusted",
        ),
        (
            Certificate::SelfSigned,
            true,
            TlsProblem::UnknownIssuer,
            "The certificate's issuer is not trusted",
        ),
        (
            Certificate::OtherName,
            true,
            TlsProblem::WrongName,
            "The certificate is for a different name",
        ),
        (
            Certificate::Expired,
            true,
            TlsProblem::CertificateExpired,
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
async fn non_tls_port_is_reported() {
    let sender = sender(LONG, Vec::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for (bytes, trouble, detail) in [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(),
            TlsProblem::NoTls,
            "The receiver does not use TLS on this port",
        ),
        (
            b"",
            TlsProblem::ClosedDuringHandshake,
            "The receiver closed the connection during the TLS handshake",
        ),
    ] {
        let url = format!("https://{address}/");
        let (exchange, ()) = tokio::join!(post(&sender, &url), async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let mut hello = [0; 4096];
            let _ = tokio::io::AsyncReadExt::read(&mut tcp, &mut hello).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut tcp, bytes).await;
        });
        assert_tls_failed(&exchange, trouble, detail);
    }
}

/// Over TLS 1.3, the receiver rejects the client only after the handshake.
#[tokio::test]
async fn missing_client_certificate_is_reported() {
    for protocol in [b"http/1.1".as_slice(), b"h2"] {
        let identity = Identity::make(Certificate::Good);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/", listener.local_addr().unwrap());
        let acceptor = identity.acceptor_for_known_clients(protocol);
        let sender = sender(LONG, vec![identity.authority]);
        let (exchange, ()) = tokio::join!(post(&sender, &url), async {
            let (tcp, _) = listener.accept().await.unwrap();
            assert!(acceptor.accept(tcp).await.is_err());
        });
        assert_failed(
            &exchange,
            FailureReason::Tls,
            "The receiver requires a client certificate, which Caleida does not have",
        );
    }
}

#[tokio::test]
async fn times_out_at_deadline_during_tls_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let exchange = post(&sender(SHORT, Vec::new()), &url).await;
    assert_failed(
        &exchange,
        FailureReason::Timeout,
        "No complete response within 300 ms",
    );
}

#[tokio::test]
async fn uses_http_2_when_offered() {
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
