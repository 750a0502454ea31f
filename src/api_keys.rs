//! What people do to API keys: make, look at, revoke.
//!
//! The dashboard and the commands both come through here. A key that is revoked opens nothing any more when that is
//! answered, at no process.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{
    auth::{
        Auth, REMEMBERED,
        api_key::{self, SCOPES},
    },
    delivery::cluster,
    domain::{AccountId, Actor, ApiKeyId, Clock, Timestamp, api_key::Expiry, api_key::KeyName},
    store::{ApiKey, ApiKeyRow, Store, StoreError, Unique},
    webhooks::to_the_end,
};

/// The operations on keys. Cheap to clone.
#[derive(Clone)]
pub struct ApiKeys {
    pub store: Arc<Store>,
    pub auth: Auth,
    pub clock: Arc<dyn Clock>,
}

/// The fields of a key as they were posted.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    pub name: String,
    pub scopes: Vec<String>,
    /// One of [`Expiry::OFFERED`],
    pub expiry: String,
    /// and the day, if that is one.
    pub date: String,
}

/// What is wrong with them, each with a text for its field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    pub name: Option<String>,
    pub scopes: Option<String>,
    pub expiry: Option<String>,
}

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error("invalid fields")]
    Invalid(Refused),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApiKeys {
    pub async fn list(&self, account: &AccountId) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.store.of(account).api_keys().await
    }

    pub async fn find(&self, account: &AccountId, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        self.store.of(account).api_key(id).await
    }

    /// Makes a key. Its text is in the answer, and nowhere else.
    pub async fn create(
        &self,
        actor: &Actor,
        draft: &Draft,
    ) -> Result<(ApiKey, Zeroizing<String>), CreateError> {
        let now = self.clock.now();
        let name = KeyName::parse(&draft.name);
        let scopes = scopes(&draft.scopes);
        let expiry = Expiry::parse(&draft.expiry).and_then(|expiry| expiry.moment(&draft.date, now));
        let (name, scopes, expires_at) = match (name, scopes, expiry) {
            (Ok(name), Some(scopes), Ok(expires_at)) => (name, scopes, expires_at),
            (name, scopes, expiry) => {
                return Err(CreateError::Invalid(Refused {
                    name: name.err().map(|error| error.to_string()),
                    scopes: scopes.is_none().then(|| "Choose at least one scope.".to_owned()),
                    expiry: expiry.err().map(|error| error.to_string()),
                }));
            }
        };
        self.create_until(actor, &name, scopes, expires_at).await
    }

    /// The same, until a moment.
    pub async fn create_until(
        &self,
        actor: &Actor,
        name: &KeyName,
        scopes: Vec<String>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiKey, Zeroizing<String>), CreateError> {
        let (store, now) = (&self.store, self.clock.now());
        match api_key::create(store, actor, name.as_str(), scopes, expires_at, now).await {
            Err(StoreError::Conflict(Unique::ApiKeyName)) => Err(CreateError::Invalid(Refused {
                name: Some(name.taken()),
                ..Refused::default()
            })),
            created => Ok(created?),
        }
    }

    /// Revokes it for good. `None`: there is no such key, or it was revoked already.
    pub async fn revoke(&self, actor: &Actor, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let (this, actor, id) = (self.clone(), actor.clone(), id.clone());
        to_the_end(async move {
            let revoked = this.store.revoke_api_key(&actor, &id, this.clock.now()).await;
            // Also after an error: nobody knows whether it was committed.
            this.auth.forget_key(&id);
            let revoked = revoked?;
            cluster::wait_until_revoked(&this.store, &id).await?;
            Ok(revoked)
        })
        .await
    }

    /// The same by a command, beside a server that may run on this database.
    pub async fn revoke_beside(&self, actor: &Actor, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let revoked = self.revoke(actor, id).await?;
        if revoked.is_some() && !self.store.is_shared() {
            tokio::time::sleep(REMEMBERED).await;
        }
        Ok(revoked)
    }
}

/// Each once, in the order in which they are offered; `None` if there is none, or one that is not offered.
fn scopes(wanted: &[String]) -> Option<Vec<String>> {
    let known = wanted.iter().all(|scope| SCOPES.contains(&scope.as_str()));
    let scopes = SCOPES
        .iter()
        .filter(|scope| wanted.iter().any(|wanted| wanted == *scope));
    let scopes: Vec<_> = scopes.map(|&scope| scope.to_owned()).collect();
    (known && !scopes.is_empty()).then_some(scopes)
}
