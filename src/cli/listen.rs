//! `caleida listen`: a local receiver that verifies and prints webhook calls, and can forward them.

use std::{
    io::{self, Write},
    net::Ipv4Addr,
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderMap, HeaderName, StatusCode, header::CONTENT_TYPE},
    routing::post,
};
use clap::Args;
use serde::Deserialize;
use tokio::net::TcpListener;
use url::Url;

use super::terminal::{escaped, escaped_line, has_colour, indented};
use crate::{
    delivery::{
        sender::{ClientError, plain_client},
        signer::{self, ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, VerifyError},
    },
    domain::{Clock, Secret, Timestamp, secret::InvalidSecret},
};

/// Maximum size of a body.
const MAX_BODY: usize = 1024 * 1024;

/// Maximum number of bytes of a body to print.
const MAX_PRINTED: usize = 64 * 1024;

/// Timeout of a forwarded call.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Args)]
pub struct ListenArgs {
    /// Port on this machine
    #[arg(long, env = "CALEIDA_LISTEN_PORT", default_value_t = 4040)]
    pub port: u16,
    /// Secret of the webhook; without it, one is generated and printed
    #[arg(long, env = "CALEIDA_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub secret: Option<String>,
    /// Forward verified calls to this URL, and respond with its status
    #[arg(long, env = "CALEIDA_FORWARD", value_name = "URL")]
    pub forward: Option<Url>,
}

#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error(transparent)]
    Secret(#[from] InvalidSecret),
    #[error("--forward must be an http or https URL, not {0}.")]
    Forward(Url),
    #[error("Cannot listen on port {0}: {1}. Choose another with --port.")]
    Port(u16, io::Error),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0}")]
    Serve(io::Error),
}

/// Runs until it is interrupted.
pub async fn run(args: ListenArgs, clock: Arc<dyn Clock>) -> Result<(), ListenError> {
    let generated = args.secret.is_none();
    let secret = args
        .secret
        .map_or_else(|| Ok(Secret::generate()), |text| Secret::parse(&text))?;
    let forward = args.forward.map(Forward::to).transpose()?;
    let bind_error = |error| ListenError::Port(args.port, error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .map_err(bind_error)?;
    // For port 0, the system chooses the port.
    let port = listener.local_addr().map_err(bind_error)?.port();
    print(&format!("Listening on http://127.0.0.1:{port}\n"));
    if generated {
        print(&format!("Secret {}\n", secret.reveal()));
    }
    print("\n");
    let state = ListenState {
        secret,
        forward,
        clock,
        colour: has_colour(),
        print: Box::new(print),
    };
    axum::serve(listener, router(state))
        .await
        .map_err(ListenError::Serve)
}

/// State of the receiver.
pub struct ListenState {
    pub secret: Secret,
    pub forward: Option<Forward>,
    pub clock: Arc<dyn Clock>,
    pub colour: bool,
    /// Prints the whole output of a call at once, so that concurrent calls do not mix.
    pub print: Box<dyn Fn(&str) + Send + Sync>,
}

/// Destination of verified calls.
pub struct Forward {
    url: Url,
    client: reqwest::Client,
}

impl Forward {
    pub fn to(url: Url) -> Result<Self, ListenError> {
        if matches!(url.scheme(), "http" | "https") {
            Ok(Self {
                client: plain_client()?,
                url,
            })
        } else {
            Err(ListenError::Forward(url))
        }
    }
}

/// Returns a router that accepts calls on every path.
pub fn router(state: ListenState) -> Router {
    Router::new()
        .route("/", post(receive))
        .route("/{*path}", post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(state))
}

async fn receive(
    State(state): State<Arc<ListenState>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> StatusCode {
    let now = state.clock.now();
    let body = match body {
        Ok(body) => body,
        Err(rejection) => {
            let text = format!(
                "{}  refused: {}\n\n",
                now.rfc3339(),
                escaped_line(&rejection.body_text())
            );
            (state.print)(&text);
            return rejection.status();
        }
    };
    let verified = verify(&state.secret, &headers, &body, now);
    let (status, forwarded) = match (&verified, &state.forward) {
        (Err(_), _) => (StatusCode::BAD_REQUEST, None),
        (Ok(()), None) => (StatusCode::NO_CONTENT, None),
        (Ok(()), Some(forward)) => {
            let result = forward_call(forward, &headers, body.clone()).await;
            let status = *result.as_ref().unwrap_or(&StatusCode::BAD_GATEWAY);
            (status, Some((forward.url.as_str(), result)))
        }
    };
    let call = Call {
        at: now,
        id: header_text(&headers, &ID_HEADER),
        body: &body,
        verified,
        forwarded,
    };
    (state.print)(&call.block(state.colour));
    status
}

fn verify(secret: &Secret, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), VerifyError> {
    let [id, timestamp, signature] =
        [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER].map(|name| header_text(headers, &name));
    signer::verify(secret, &id, &timestamp, &signature, body, now)
}

/// Returns the value of a header, or an empty string.
fn header_text(headers: &HeaderMap, name: &HeaderName) -> String {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

/// Forwards the exact bytes, with the headers that are needed to verify them.
async fn forward_call(forward: &Forward, headers: &HeaderMap, body: Bytes) -> Result<StatusCode, String> {
    let forwarded = headers
        .iter()
        .filter(|(name, _)| **name == CONTENT_TYPE || name.as_str().starts_with("webhook-"));
    let headers: HeaderMap = forwarded
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let request = forward
        .client
        .post(forward.url.clone())
        .headers(headers)
        .body(body)
        .timeout(FORWARD_TIMEOUT);
    match request.send().await {
        Ok(response) => Ok(response.status()),
        Err(error) if error.is_timeout() => {
            Err(format!("no response within {} s", FORWARD_TIMEOUT.as_secs()))
        }
        Err(error) if error.is_connect() => Err("connection failed: is it running?".to_owned()),
        Err(_) => Err("connection lost".to_owned()),
    }
}

/// A call to print.
struct Call<'a> {
    at: Timestamp,
    id: String,
    body: &'a [u8],
    verified: Result<(), VerifyError>,
    forwarded: Option<(&'a str, Result<StatusCode, String>)>,
}

impl Call<'_> {
    fn block(&self, colour: bool) -> String {
        let paint = |code: &str, text: String| {
            if colour {
                format!("\x1b[{code}m{text}\x1b[0m")
            } else {
                text
            }
        };
        let (good, bad) = ("32", "31");
        let id = if self.id.is_empty() {
            "no id".to_owned()
        } else {
            escaped_line(&self.id)
        };
        let verdict = match &self.verified {
            Ok(()) => paint(good, "signature ok".to_owned()),
            Err(error) => paint(bad, error.to_string()),
        };
        let mut block = format!(
            "{}  {}  {id}  {verdict}\n",
            paint("2", self.at.rfc3339()),
            paint("1", self.event_type())
        );
        if let Some((url, result)) = &self.forwarded {
            let result = match result {
                Ok(status) if status.is_success() => paint(good, status.to_string()),
                Ok(status) => paint(bad, status.to_string()),
                Err(error) => paint(bad, error.clone()),
            };
            block.push_str(&format!("forwarded to {url}: {result}\n"));
        }
        block.push_str(&self.readable_body());
        block.push_str("\n\n");
        block
    }

    fn event_type(&self) -> String {
        #[derive(Deserialize)]
        struct EventBody {
            r#type: String,
        }
        match serde_json::from_slice::<EventBody>(self.body) {
            Ok(EventBody { r#type }) => escaped_line(&r#type.chars().take(100).collect::<String>()),
            Err(_) => "no type".to_owned(),
        }
    }

    fn readable_body(&self) -> String {
        let text = indented(self.body).unwrap_or_else(|| String::from_utf8_lossy(self.body).into_owned());
        let shown = &text[..text.floor_char_boundary(MAX_PRINTED)];
        let mut shown_text = escaped(shown);
        if shown.len() < text.len() {
            shown_text.push_str(&format!("\n… and {} bytes more", text.len() - shown.len()));
        }
        shown_text
    }
}

/// Writes to stdout. Ignores errors: if stdout is closed, calls are still answered and forwarded.
fn print(text: &str) {
    let _ = io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .and_then(|()| io::stdout().flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(body: &'a [u8]) -> Call<'a> {
        Call {
            at: Timestamp::from_millis(1_795_428_000_000),
            id: "evt_1".to_owned(),
            body,
            verified: Ok(()),
            forwarded: None,
        }
    }

    #[test]
    fn block_shows_time_type_id_verdict_and_body() {
        let block = call(br#"{"type":"chat","data":{"b":1.0,"a":[]}}"#).block(false);
        let expected = "2026-11-23T10:00:00.000Z  chat  evt_1  signature ok\n\
            {\n  \"type\": \"chat\",\n  \"data\": {\n    \"b\": 1.0,\n    \"a\": []\n  }\n}\n\n";
        assert_eq!(block, expected);
    }

    #[test]
    fn block_shows_result_of_forwarding() {
        let url = "http://127.0.0.1:8000/";
        for (result, expected) in [
            (
                Ok(StatusCode::OK),
                "forwarded to http://127.0.0.1:8000/: 200 OK\n",
            ),
            (
                Err("connection failed".to_owned()),
                "forwarded to http://127.0.0.1:8000/: connection failed\n",
            ),
        ] {
            let call = Call {
                forwarded: Some((url, result)),
                ..call(b"{}")
            };
            assert!(call.block(false).contains(expected));
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        let hostile = "{\"type\":\"\u{9b}2J\",\"x\":\"\u{202e}\u{7f}\"}";
        let block = Call {
            id: "\u{1b}]0;owned\u{7}\n".to_owned(),
            verified: Err(VerifyError::Mismatch),
            ..call(hostile.as_bytes())
        }
        .block(false);
        assert!(block.chars().all(|c| c == '\n' || !c.is_control()), "{block:?}");
        assert!(!block.contains('\u{202e}'));
        let raw = call(b"\x1b[2J not json \xff").block(false);
        assert!(raw.ends_with("\\u{1b}[2J not json \u{fffd}\n\n"), "{raw:?}");
    }

    #[test]
    fn colours_are_optional() {
        assert!(call(b"{}").block(true).contains("\x1b[32msignature ok\x1b[0m"));
        assert!(!call(b"{}").block(false).contains('\x1b'));
    }

    #[test]
    fn long_bodies_are_cut() {
        let body = vec![b'x'; MAX_PRINTED + 5];
        assert!(call(&body).block(false).ends_with("x\n… and 5 bytes more\n\n"));
    }
}
