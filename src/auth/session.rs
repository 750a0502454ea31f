//! Session store on the application's database. Rows are keyed by the hash of the session id, so a copy of the database
//! does not allow signing in.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use sha2::{Digest, Sha256};
use tower_sessions::{
    Session, SessionStore,
    session::{Id, Record},
    session_store::{Error, Result},
};

use crate::{
    domain::{Clock, Timestamp},
    store::{SessionOwner, SessionRow, Store, StoreError},
};

/// Key of the [`SessionOwner`] in a session's data. The entry survives a change of the session's id.
pub(super) const OWNER_KEY: &str = "owner";

/// The [`SessionStore`] of tower-sessions.
#[derive(Clone)]
pub struct Sessions {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
}

impl Sessions {
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let owner: Option<SessionOwner> = match record.data.get(OWNER_KEY) {
            Some(owner) => {
                serde_json::from_value(owner.clone()).map_err(|error| Error::Encode(error.to_string()))?
            }
            None => None,
        };
        let now = self.clock.now();
        while !self
            .store
            .create_session(&session_row(record)?, owner.as_ref(), now)
            .await
            .map_err(backend_error)?
        {
            // The id is taken: generate another.
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.store
            .save_session(&session_row(record)?)
            .await
            .map_err(backend_error)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(row) = self
            .store
            .session(&hash(id), self.clock.now())
            .await
            .map_err(backend_error)?
        else {
            return Ok(None);
        };
        let data = serde_json::from_slice(&row.data).map_err(|error| Error::Decode(error.to_string()))?;
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: row.expires_at.utc(),
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.store.delete_session(&hash(id)).await.map_err(backend_error)
    }
}

fn session_row(record: &Record) -> Result<SessionRow> {
    let data = serde_json::to_vec(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    let millis = record.expiry_date.unix_timestamp().saturating_mul(1_000);
    Ok(SessionRow {
        id_hash: hash(&record.id),
        data,
        expires_at: Timestamp::from_millis(millis),
    })
}

fn hash(id: &Id) -> [u8; 32] {
    Sha256::digest(id.to_string().as_bytes()).into()
}

fn backend_error(error: StoreError) -> Error {
    Error::Backend(error.to_string())
}

/// Returns the key of the session in the store, or `None` if the request has no session cookie.
pub(super) fn session_hash(session: &Session) -> Option<[u8; 32]> {
    session.id().map(|id| hash(&id))
}

pub(super) fn unavailable(error: tower_sessions::session::Error) -> StoreError {
    StoreError::unavailable(error)
}
