use std::collections::HashSet;
use std::env;
use std::process::exit;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

const MAX_BODY: usize = 1024 * 1024;
const TOLERANCE: u64 = 5 * 60; // seconds

struct Receiver {
    key: Vec<u8>,
    /// In production, store the ids in a database, in a unique column.
    seen: Mutex<HashSet<String>>,
}

/// Returns the id of a valid call, or the reason why it is invalid.
fn verify<'a>(key: &[u8], body: &[u8], headers: &'a HeaderMap) -> Result<&'a str, &'static str> {
    let header = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value
            .filter(|value| !value.is_empty())
            .ok_or("a webhook header is missing")
    };
    let id = header("webhook-id")?;
    let (timestamp, signatures) = (header("webhook-timestamp")?, header("webhook-signature")?);
    // Rejects replays: a recorded call has a valid signature, but an old timestamp.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if !timestamp
        .parse()
        .is_ok_and(|sent| now.abs_diff(sent) <= TOLERANCE)
    {
        return Err("webhook-timestamp is not within 5 minutes of now");
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    // During a rotation there are two signatures, and one match is enough.
    // verify_slice takes constant time, so timing reveals nothing about the expected signature.
    signatures
        .split(' ')
        .filter_map(|given| STANDARD.decode(given.strip_prefix("v1,")?).ok())
        .any(|given| mac.clone().verify_slice(&given).is_ok())
        .then_some(id)
        .ok_or("no signature matches")
}

// `Bytes` is the raw body: re-serialized JSON would not match the signature.
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let id = match verify(&receiver.key, &body, &headers) {
        Ok(id) => id,
        Err(reason) => return (StatusCode::BAD_REQUEST, reason),
    };
    let Ok(event) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return (StatusCode::BAD_REQUEST, "the body is not a JSON object");
    };
    let new = receiver.seen.lock().unwrap().insert(id.to_owned());
    // Put new events into a queue here: processing must not delay the response.
    let event_type = event.get("type").and_then(Value::as_str).unwrap_or("unknown");
    println!("{event_type} {id}{}", if new { "" } else { " again" });
    (StatusCode::NO_CONTENT, "")
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let secret = env::var("WEBHOOK_SECRET").unwrap_or_default();
    if secret.is_empty() {
        eprintln!("Set WEBHOOK_SECRET to the webhook's secret.");
        exit(1);
    }
    // whsec_ is followed by the key in base64. Any other secret is itself the key.
    let key = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD
            .decode(encoded)
            .expect("WEBHOOK_SECRET is base64 after whsec_"),
        None => secret.into_bytes(),
    };
    let receiver = Receiver {
        key,
        seen: Mutex::default(),
    };
    let app = Router::new()
        .fallback(post(receive))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(receiver));
    let port = env::var("PORT").unwrap_or("4040".into());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("listening");
    axum::serve(listener, app).await
}
