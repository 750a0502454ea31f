//! A webhook receiver with scripted replies, including replies that violate HTTP.
//!
//! It implements HTTP/1.1 by hand on a TCP or TLS listener, because server libraries cannot be made to misbehave.

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

/// Maximum time to wait for expected calls.
const WAIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Reply of the receiver to a call.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This status with an empty body.
    Status(u16),
    /// Status, headers and body. Header values are bytes, so they may be malformed.
    Full(u16, Vec<(String, Vec<u8>)>, Vec<u8>),
    /// 302 with this `Location`.
    Redirect(String),
    /// This status, once the latch is open.
    Hold(Latch, u16),
    /// This status after a delay.
    Delayed(Duration, u16),
    /// No response; the connection stays open.
    Never,
    /// Resets the connection instead of responding.
    Reset,
    /// Bytes that are not HTTP.
    Garbage,
    /// These bytes; the connection is closed afterwards.
    Raw(Vec<u8>),
    /// 200 with an endless body, one byte every 20 ms.
    DripBody,
    /// 200 with endless headers, one every 20 ms.
    DripHeaders,
    /// 200 with an endless body at full speed.
    EndlessBody,
    /// 200 with a small gzip body that decompresses to this many bytes.
    GzipBomb(usize),
    /// Like [`Reply::GzipBomb`] with Brotli, which compresses about a thousand times better.
    BrotliBomb(usize),
    /// A body shorter than its `content-length`.
    TruncatedBody,
    /// Endless `100 Continue` responses.
    EndlessInterim,
}

impl Reply {
    /// A reply with headers and body given as text.
    pub fn full(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Self::Full(status, headers.collect(), body.as_ref().to_vec())
    }
}

/// Blocks waiters until it is opened. Clones share the same state.
#[derive(Debug, Clone)]
pub struct Latch(Arc<watch::Sender<bool>>);

impl Latch {
    pub fn closed() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub async fn opened(&self) {
        let _ = self.0.subscribe().wait_for(|open| *open).await;
    }
}

/// A received call.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers in the order received, with lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub at: Instant,
    /// Number of the connection, from 0. Calls with the same number share a connection.
    pub connection: usize,
}

impl Received {
    /// Returns the first value of a header, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// Verifies the signature with the official Standard Webhooks library.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let mut headers = axum::http::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            headers.insert(name, self.header(name).parse().unwrap());
        }
        let webhook = standardwebhooks::Webhook::new(secret).unwrap();
        webhook.verify(&self.body, &headers).is_ok()
    }
}

/// A running receiver; it stops when dropped.
pub struct Receiver {
    address: SocketAddr,
    identity: Option<Identity>,
    shared: Arc<Shared>,
    _listening: AbortOnDropHandle<()>,
}

struct Shared {
    /// Replies for the next calls, one each.
    queued: Mutex<VecDeque<Reply>>,
    /// Reply when nothing is queued.
    default: Mutex<Reply>,
    received: watch::Sender<Vec<Received>>,
}

impl Receiver {
    /// Listens on a free port. The default reply is 200.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// Like [`Self::start`], with TLS.
    pub async fn start_tls(certificate: Certificate) -> Self {
        Self::listen(Some(Identity::make(certificate))).await
    }

    async fn listen(identity: Option<Identity>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            queued: Mutex::default(),
            default: Mutex::new(Reply::Status(200)),
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

    /// Returns the URL of a path on this receiver.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the certificate authority to trust if this receiver uses TLS.
    pub fn authority(&self) -> Option<CertificateDer<'static>> {
        self.identity.as_ref().map(|identity| identity.authority.clone())
    }

    /// Queues a reply for one call.
    pub fn reply(&self, reply: Reply) {
        self.shared.queued.lock().unwrap().push_back(reply);
    }

    /// Sets the reply to use when nothing is queued.
    pub fn reply_always(&self, reply: Reply) {
        *self.shared.default.lock().unwrap() = reply;
    }

    /// Returns the calls received so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// Waits until at least `count` calls were received, and returns all of them. Fails if no further call arrives for
    /// ten seconds, so that a slow machine may take its time.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let mut received = self.shared.received.subscribe();
        loop {
            let arrived = received.borrow_and_update().clone();
            if arrived.len() >= count {
                return arrived;
            }
            let next = tokio::time::timeout(WAIT_TIMEOUT, received.changed());
            next.await
                .unwrap_or_else(|_| panic!("received {} of {count} calls", arrived.len()))
                .expect("the receiver holds the sender");
        }
    }
}

impl Shared {
    fn next_reply(&self) -> Reply {
        let queued = self.queued.lock().unwrap().pop_front();
        queued.unwrap_or_else(|| self.default.lock().unwrap().clone())
    }
}

/// End of a connection.
enum End {
    Close,
    Reset,
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, shared: Arc<Shared>) {
    // Aborts the connections when this task is dropped.
    let mut connections = JoinSet::new();
    for number in 0.. {
        let Ok((tcp, _)) = listener.accept().await else {
            return;
        };
        let (acceptor, shared) = (acceptor.clone(), Arc::clone(&shared));
        connections.spawn(async move {
            // Errors are expected: tests make connections fail on purpose.
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
        let reply = shared.next_reply();
        shared.received.send_modify(|received| received.push(call));
        if let Some(end) = write_reply(stream, reply).await? {
            return Ok(end);
        }
    }
    Ok(End::Close)
}

/// Reads one call. Returns `None` at the end of the stream.
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

/// Reads up to and including `end`. Returns `None` at the end of the stream.
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

/// Writes a reply. Returns how to end the connection, or `None` to keep it open.
async fn write_reply(stream: &mut (impl AsyncWrite + Unpin), reply: Reply) -> io::Result<Option<End>> {
    const DRIP: Duration = Duration::from_millis(20);
    const ENDLESS: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

    match reply {
        Reply::Status(status) => respond(stream, status, &[], b"").await?,
        Reply::Full(status, headers, body) => respond(stream, status, &headers, &body).await?,
        Reply::Redirect(to) => {
            respond(stream, 302, &[("location".to_owned(), to.into_bytes())], b"").await?;
        }
        Reply::Hold(latch, status) => {
            latch.opened().await;
            respond(stream, status, &[], b"").await?;
        }
        Reply::Delayed(delay, status) => {
            tokio::time::sleep(delay).await;
            respond(stream, status, &[], b"").await?;
        }
        Reply::GzipBomb(size) => {
            let headers = [("content-encoding".to_owned(), b"gzip".to_vec())];
            respond(stream, 200, &headers, &gzip_of_zeros(size)).await?;
        }
        Reply::BrotliBomb(size) => {
            let headers = [("content-encoding".to_owned(), b"br".to_vec())];
            respond(stream, 200, &headers, &brotli_of_zeros(size)).await?;
        }
        Reply::Never => std::future::pending().await,
        Reply::Reset => return Ok(Some(End::Reset)),
        Reply::Garbage => {
            write(stream, b"\x00\xff\xfeSSH-2.0-not-http\r\n\r\n").await?;
            return Ok(Some(End::Close));
        }
        Reply::Raw(bytes) => {
            write(stream, &bytes).await?;
            return Ok(Some(End::Close));
        }
        Reply::TruncatedBody => {
            write(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this").await?;
            return Ok(Some(End::Close));
        }
        Reply::DripBody => {
            write(stream, ENDLESS).await?;
            loop {
                write(stream, b"1\r\n.\r\n").await?;
                tokio::time::sleep(DRIP).await;
            }
        }
        Reply::DripHeaders => {
            write(stream, b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                write(stream, b"x-more: 1\r\n").await?;
                tokio::time::sleep(DRIP).await;
            }
        }
        Reply::EndlessBody => {
            write(stream, ENDLESS).await?;
            let chunk = [b"1000\r\n", [b'.'; 0x1000].as_slice(), b"\r\n"].concat();
            loop {
                write(stream, &chunk).await?;
            }
        }
        Reply::EndlessInterim => loop {
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
    // HTTP forbids a body for these statuses.
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
