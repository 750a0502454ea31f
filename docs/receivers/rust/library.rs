use std::collections::HashSet;
use std::env;
use std::process::exit;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::{Map, Value};
use standardwebhooks::Webhook;

const MAX_BODY: usize = 1024 * 1024;

struct Receiver {
    webhook: Webhook,
    /// In production, store the ids in a database, in a unique column.
    seen: Mutex<HashSet<String>>,
}

// `Bytes` is the raw body: re-serialized JSON would not match the signature.
async fn receive(
    State(receiver): State<Arc<Receiver>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    // Extreme timestamps overflow in the library.
    if headers
        .get("webhook-timestamp")
        .is_some_and(|sent| sent.len() > 12)
    {
        return (
            StatusCode::BAD_REQUEST,
            "webhook-timestamp is not within 5 minutes of now".into(),
        );
    }
    // Checks the signatures in constant time and rejects old timestamps.
    if let Err(error) = receiver.webhook.verify(&body, &headers) {
        return (StatusCode::BAD_REQUEST, error.to_string());
    }
    let Ok(event) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return (StatusCode::BAD_REQUEST, "the body is not a JSON object".into());
    };
    let id = String::from_utf8_lossy(headers["webhook-id"].as_bytes()).into_owned();
    let event_type = event.get("type").and_then(Value::as_str).unwrap_or("unknown");
    let again = if receiver.seen.lock().unwrap().insert(id.clone()) {
        ""
    } else {
        " again"
    };
    // Put new events into a queue here: processing must not delay the response.
    println!("{event_type} {id}{again}");
    (StatusCode::NO_CONTENT, String::new())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let secret = env::var("WEBHOOK_SECRET").unwrap_or_default();
    if !secret.starts_with("whsec_") {
        // Libraries accept only this form. For any other secret, the dashboard shows the equivalent.
        eprintln!("Set WEBHOOK_SECRET to the webhook's secret, in its whsec_ form.");
        exit(1);
    }
    let webhook = Webhook::new(&secret).expect("WEBHOOK_SECRET is base64 after whsec_");
    let receiver = Receiver {
        webhook,
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
