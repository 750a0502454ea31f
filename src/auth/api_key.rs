//! API keys: 256 random bits, shown once, kept as their SHA-256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    domain::{Actor, ApiKeyId, Timestamp},
    store::{ApiKey, NewApiKey, Store, StoreError},
};

/// Publish events.
pub const EVENTS_WRITE: &str = "events:write";
/// See webhooks and deliveries.
pub const WEBHOOKS_READ: &str = "webhooks:read";
/// Add, edit, pause and delete webhooks, and read their secrets.
pub const WEBHOOKS_WRITE: &str = "webhooks:write";

/// Read who did what.
pub const AUDIT_READ: &str = "audit:read";

pub const SCOPES: [&str; 4] = [EVENTS_WRITE, WEBHOOKS_READ, WEBHOOKS_WRITE, AUDIT_READ];

/// What a key is for unless one says otherwise.
pub const USUAL_SCOPES: [&str; 3] = [EVENTS_WRITE, WEBHOOKS_READ, WEBHOOKS_WRITE];

const PREFIX: &str = "ck_";

/// How much of a key people see in lists, to tell it from others.
const SHOWN: usize = 10;

/// Makes a key and answers its text, which is nowhere else. [`StoreError::Conflict`]: a living key has that name.
pub async fn create(
    store: &Store,
    by: &Actor,
    name: &str,
    scopes: Vec<String>,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(ApiKey, Zeroizing<String>), StoreError> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).expect("the system's random numbers are available");
    let text = Zeroizing::new(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random.as_slice())));
    let new = NewApiKey {
        key: ApiKey {
            id: ApiKeyId::generate(now),
            account_id: by.account_id.clone(),
            name: name.to_owned(),
            prefix: text[..SHOWN].to_owned(),
            scopes,
            expires_at,
        },
        hash: hash(&text),
        by: by.clone(),
        at: now,
    };
    store.insert_api_key(&new).await?;
    Ok((new.key, text))
}

/// What is stored of a key.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
