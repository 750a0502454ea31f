//! API keys: 256 random bits, shown once and stored as SHA-256.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{
    domain::{Actor, ApiKeyId, Timestamp},
    store::{ApiKey, NewApiKey, Store, StoreError},
};

/// Scope for publishing events.
pub const EVENTS_WRITE: &str = "events:write";
/// Scope for reading webhooks and deliveries.
pub const WEBHOOKS_READ: &str = "webhooks:read";
/// Scope for changing webhooks and reading their secrets.
pub const WEBHOOKS_WRITE: &str = "webhooks:write";

/// Scope for reading the audit log.
pub const AUDIT_READ: &str = "audit:read";

pub const SCOPES: [&str; 4] = [EVENTS_WRITE, WEBHOOKS_READ, WEBHOOKS_WRITE, AUDIT_READ];

/// Scopes of a key that is created without explicit scopes.
pub const DEFAULT_SCOPES: [&str; 3] = [EVENTS_WRITE, WEBHOOKS_READ, WEBHOOKS_WRITE];

const PREFIX: &str = "ck_";

/// Length of the part of a key that lists show.
const SHOWN_LENGTH: usize = 10;

/// Creates a key and returns it with its text, which is not stored. Returns [`StoreError::Conflict`] if an active key
/// has the name.
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
            prefix: text[..SHOWN_LENGTH].to_owned(),
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

/// Returns the hash under which a key is stored.
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
