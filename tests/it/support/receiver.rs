//! A receiver that does as it is told: answers, stays silent, or breaks every rule there is.
//!
//! It speaks HTTP/1.1 by hand on a TCP or TLS listener, because no proper server can be made to misbehave.

use std::{
    collections::VecDeque,
    io::{self, Write},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::Instant,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::certificate::{Certificate, Identity};

/// How long a test waits for calls that should have come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the receiver does with a call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Answers with this status and an empty body.
    Status(u16),
    /// Answers with this status, headers and body. The headers are written as bytes, so that they may be malformed.
    Full(u16, Vec<(String, Vec<u8>)>, Vec<u8>),
    /// Answers 302 with a `Location`.
    Redirect(String),
    /// Waits until the gate is open, then answers with this status.
    Hold(Gate, u16),
    /// Answers with this status after a while.
    Delayed(Duration, u16),
    /// Reads the call and never answers.
    Never,
    /// Resets the connection instead of an answer.
    Close,
    /// Writes what is not HTTP.
    Garbage,
    /// Writes the bytes as they are, then closes the connection.
    Raw(Vec<u8>),
    /// Answers 200, then a byte of body every 20 ms without end.
    DripBody,
    /// Never gets beyond its headers: one more of them every 20 ms.
    DripHeaders,
    /// Answers 200, then as much body as anyone will read.
    EndlessBody,
    /// Answers 200 with a small body that decompresses to this many bytes.
    GzipBomb(usize),
    /// As [`Answer::GzipBomb`], a thousand times tighter still.
    BrotliBomb(usize),
    /// Announces a longer body than it sends.
    CutBody,
    /// Answers with interim `100 Continue`s without end.
    Interim,
}

impl Answer {
    /// A status with readable headers and body.
    pub fn full(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Self::Full(status, headers.collect(), body.as_ref().to_vec())
    }
}

/// Holds answers back until it is opened. Clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub async fn passed(&self) {
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

/// A call as it came.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Instant,
    /// Counts the connections from 0: calls with the same number came over the same one.
    pub connection: usize,
}

impl Received {
    /// The first value of a header; an empty text if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(at, _)| at == name)
            .map_or("", |(_, value)| value)
    }

    /// What an official library says of it.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let mut headers = axum::http::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, self.header(name).parse().unwrap());
        }
        let judge = standardwebhooks::Webhook::new(secret).unwrap();
        judge.verify(&self.body, &headers).is_ok()
    }
}

/// Runs until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    identity: Option<Identity>,
    shared: Arc<Shared>,
    _listening: AbortOnDropHandle<()>,
}

struct Shared {
    /// For the next calls, one each.
    script: Mutex<VecDeque<Answer>>,
    /// For all others.
    usual: Mutex<Answer>,
    received: watch::Sender<Vec<Received>>,
}

impl Receiver {
    /// Listens on a free port and answers 200 until told otherwise.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// The same with TLS.
    pub async fn start_tls(certificate: Certificate) -> Self {
        Self::listen(Some(Identity::make(certificate))).await
    }

    async fn listen(identity: Option<Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Mutex::default(),
            usual: Mutex::new(Answer::Status(200)),
            received: watch::Sender::default(),
        });
        let acceptor = identity.as_ref().map(|identity| identity.acceptor(b"http/1.1"));
        let listening = tokio::spawn(accept(listener, acceptor, Arc::clone(&shared)));
        Self {
            address,
            identity,
            shared,
            _listening: AbortOnDropHandle::new(listening),
        }
    }

    /// The URL of a path on this receiver.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The certificate authority to trust, if this receiver speaks TLS.
    pub fn authority(&self) -> Option<CertificateDer<'static>> {
        self.identity.as_ref().map(|identity| identity.authority.clone())
    }

    /// Answers one call with this, after the answers that are already queued.
    pub fn answer(&self, answer: Answer) {
        self.shared.script.lock().unwrap().push_back(answer);
    }

    /// Answers with this whenever no answer is queued.
    pub fn answer_always(&self, answer: Answer) {
        *self.shared.usual.lock().unwrap() = answer;
    }

    /// The calls so far, in the order in which they were read.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// Waits for that many calls and returns all there are.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut received = self.shared.received.subscribe();
        let enough = received.wait_for(|received| received.len() >= count);
        match tokio::time::timeout(PATIENCE, enough).await {
            Ok(received) => received.expect("the receiver keeps the other end").clone(),
            Err(_) => panic!(
                "{} of {count} calls came within {PATIENCE:?}",
                self.received().len()
            ),
        }
    }
}

impl Shared {
    fn next_answer(&self) -> Answer {
        let scripted = self.script.lock().unwrap().pop_front();
        scripted.unwrap_or_else(|| self.usual.lock().unwrap().clone())
    }
}

/// Whether a connection is closed properly or reset.
enum End {
    Close,
    Reset,
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Dropped with the task, and the connections with it.
    let mut connections = JoinSet::new();
    for number in 0.. {
        let Ok((tcp, _)) = listener.accept().await else {
            return;
        };
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            // What fails here is what the test is about.
            let _ = serve_connection(tcp, acceptor, &shared, number).await;
        });
    }
}

async fn serve_connection(
    mut tcp: TcpStream,
    acceptor: Option<TlsAcceptor>,
    shared: &Shared,
    number: usize,
) -> io::Result<()> {
    let Some(acceptor) = acceptor else {
        let end = serve(&mut tcp, shared, number).await?;
        return finish(&tcp, &end);
    };
    let mut tls = acceptor.accept(tcp).await?;
    let end = serve(&mut tls, shared, number).await?;
    finish(tls.get_ref().0, &end)
}

fn finish(tcp: &TcpStream, end: &End) -> io::Result<()> {
    match end {
        End::Close => Ok(()),
        End::Reset => tcp.set_zero_linger(),
    }
}

async fn serve(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    shared: &Shared,
    number: usize,
) -> io::Result<End> {
    let mut unread = Vec::new();
    while let Some(call) = read_call(stream, &mut unread, number).await? {
        let answer = shared.next_answer();
        shared.received.send_modify(|received| received.push(call));
        if let Some(end) = write_answer(stream, answer).await? {
            return Ok(end);
        }
    }
    Ok(End::Close)
}

/// Reads one call, or nothing if the connection has ended before it.
async fn read_call(
    stream: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Option<Received>> {
    let Some(head) = read_until(stream, unread, b"\r\n\r\n").await? else {
        return Ok(None);
    };
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.lines();
    let mut request = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let (method, path) = (
        request.next().unwrap_or_default(),
        request.next().unwrap_or_default(),
    );
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut call = Received {
        method,
        path,
        headers,
        body: Vec::new(),
        at: Instant::now(),
        connection,
    };
    if call.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        call.body = read_chunks(stream, unread).await?;
    } else if let Ok(length) = call.header("content-length").parse() {
        call.body = read_exactly(stream, unread, length).await?;
    }
    Ok(Some(call))
}

async fn read_chunks(stream: &mut (impl AsyncRead + Unpin), unread: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_until(stream, unread, b"\r\n")
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = String::from_utf8_lossy(&line);
        let size = size.trim().split(';').next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).map_err(io::Error::other)?;
        let chunk = read_exactly(stream, unread, size).await?;
        read_until(stream, unread, b"\r\n").await?;
        if size == 0 {
            return Ok(body);
        }
        body.extend(chunk);
    }
}

/// Reads up to and with the end, or nothing if the stream ends before anything came.
async fn read_until(
    stream: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
    end: &[u8],
) -> io::Result<Option<Vec<u8>>> {
    loop {
        if let Some(at) = unread.windows(end.len()).position(|window| window == end) {
            return Ok(Some(unread.drain(..at + end.len()).collect()));
        }
        if stream.read_buf(unread).await? == 0 {
            return if unread.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    }
}

async fn read_exactly(
    stream: &mut (impl AsyncRead + Unpin),
    unread: &mut Vec<u8>,
    length: usize,
) -> io::Result<Vec<u8>> {
    while unread.len() < length {
        if stream.read_buf(unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(unread.drain(..length).collect())
}

/// Answers a call; the end of the connection, if it is to end.
async fn write_answer(stream: &mut (impl AsyncWrite + Unpin), answer: Answer) -> io::Result<Option<End>> {
    const DRIP: Duration = Duration::from_millis(20);
    const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    match answer {
        Answer::Status(status) => respond(stream, status, &[], b"").await?,
        Answer::Full(status, headers, body) => respond(stream, status, &headers, &body).await?,
        Answer::Redirect(to) => {
            respond(stream, 302, &[("location".to_owned(), to.into_bytes())], b"").await?;
        }
        Answer::Hold(gate, status) => {
            gate.passed().await;
            respond(stream, status, &[], b"").await?;
        }
        Answer::Delayed(pause, status) => {
            tokio::time::sleep(pause).await;
            respond(stream, status, &[], b"").await?;
        }
        Answer::GzipBomb(size) => {
            let headers = [("content-encoding".to_owned(), b"gzip".to_vec())];
            respond(stream, 200, &headers, &gzip_of_zeros(size)).await?;
        }
        Answer::BrotliBomb(size) => {
            let headers = [("content-encoding".to_owned(), b"br".to_vec())];
            respond(stream, 200, &headers, &brotli_of_zeros(size)).await?;
        }
        Answer::Never => std::future::pending().await,
        Answer::Close => return Ok(Some(End::Reset)),
        Answer::Garbage => {
            write(stream, b"\x00\xff\xfeSSH-2.0-not-http\r\n\r\n").await?;
            return Ok(Some(End::Close));
        }
        Answer::Raw(bytes) => {
            write(stream, &bytes).await?;
            return Ok(Some(End::Close));
        }
        Answer::CutBody => {
            write(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this").await?;
            return Ok(Some(End::Close));
        }
        Answer::DripBody => {
            write(stream, ENDLESS).await?;
            loop {
                write(stream, b"1\r\n.\r\n").await?;
                tokio::time::sleep(DRIP).await;
            }
        }
        Answer::DripHeaders => {
            write(stream, b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                write(stream, b"x-more: 1\r\n").await?;
                tokio::time::sleep(DRIP).await;
            }
        }
        Answer::EndlessBody => {
            write(stream, ENDLESS).await?;
            let chunk = [b"1000\r\n", [b'.'; 0x1000].as_slice(), b"\r\n"].concat();
            loop {
                write(stream, &chunk).await?;
            }
        }
        Answer::Interim => loop {
            write(stream, b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            tokio::task::yield_now().await;
        },
    }
    Ok(None)
}

async fn respond(
    stream: &mut (impl AsyncWrite + Unpin),
    status: u16,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
) -> io::Result<()> {
    let mut bytes = Vec::new();
    write!(bytes, "HTTP/1.1 {status} Scripted\r\n")?;
    // These have no body, by the rules.
    if !matches!(status, 100..=199 | 204 | 304) {
        write!(bytes, "content-length: {}\r\n", body.len())?;
    }
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    write(stream, &bytes).await
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

fn gzip_of_zeros(size: usize) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(
        &mut io::Read::take(io::repeat(0), u64::try_from(size).unwrap()),
        &mut encoder,
    )
    .unwrap();
    encoder.finish().unwrap()
}

fn brotli_of_zeros(size: usize) -> Vec<u8> {
    let mut compressed = Vec::new();
    let mut zeros = io::Read::take(io::repeat(0), u64::try_from(size).unwrap());
    brotli::BrotliCompress(
        &mut zeros,
        &mut compressed,
        &brotli::enc::BrotliEncoderParams::default(),
    )
    .unwrap();
    compressed
}
