//! Operations on API keys: create, list, revoke. The dashboard and the command line share them.
//!
//! A revocation returns only once every process rejects the key.

use std::sync::Arc;

use zeroize::Zeroizing;

use crate::{
    auth::{
        Auth, KEY_CACHE_TTL,
        api_key::{self, SCOPES},
    },
    delivery::cluster,
    domain::{AccountId, Actor, ApiKeyId, Clock, Timestamp, api_key::Expiry, api_key::KeyName},
    store::{ApiKey, ApiKeyRow, Store, StoreError, Unique},
    webhooks::run_detached,
};

/// Operations on API keys. Cheap to clone.
#[derive(Clone)]
pub struct ApiKeys {
    pub store: Arc<Store>,
    pub auth: Auth,
    pub clock: Arc<dyn Clock>,
}

/// Fields of a key as submitted, not yet validated.
#[derive(Debug, Clone, Default)]
pub struct ApiKeyDraft {
    pub name: String,
    pub scopes: Vec<String>,
    /// Value of one of [`Expiry::OPTIONS`].
    pub expiry: String,
    /// Last day of validity, if `expiry` is [`Expiry::Date`].
    pub date: String,
}

/// Error messages for the fields of an [`ApiKeyDraft`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftErrors {
    pub name: Option<String>,
    pub scopes: Option<String>,
    pub expiry: Option<String>,
}

/// Reason why no key was created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    #[error("invalid fields")]
    Invalid(DraftErrors),
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

    /// Creates a key from submitted fields and returns it with its text, which is not stored.
    pub async fn create(
        &self,
        actor: &Actor,
        draft: &ApiKeyDraft,
    ) -> Result<(ApiKey, Zeroizing<String>), CreateError> {
        let now = self.clock.now();
        let name = KeyName::parse(&draft.name);
        let scopes = parse_scopes(&draft.scopes);
        let expiry = Expiry::parse(&draft.expiry).and_then(|expiry| expiry.expires_at(&draft.date, now));
        let (name, scopes, expires_at) = match (name, scopes, expiry) {
            (Ok(name), Some(scopes), Ok(expires_at)) => (name, scopes, expires_at),
            (name, scopes, expiry) => {
                return Err(CreateError::Invalid(DraftErrors {
                    name: name.err().map(|error| error.to_string()),
                    scopes: scopes.is_none().then(|| "Choose at least one scope.".to_owned()),
                    expiry: expiry.err().map(|error| error.to_string()),
                }));
            }
        };
        self.create_parsed(actor, &name, scopes, expires_at).await
    }

    /// Creates a key from validated values and returns it with its text, which is not stored.
    pub async fn create_parsed(
        &self,
        actor: &Actor,
        name: &KeyName,
        scopes: Vec<String>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiKey, Zeroizing<String>), CreateError> {
        let (store, now) = (&self.store, self.clock.now());
        match api_key::create(store, actor, name.as_str(), scopes, expires_at, now).await {
            Err(StoreError::Conflict(Unique::ApiKeyName)) => Err(CreateError::Invalid(DraftErrors {
                name: Some(name.taken_message()),
                ..DraftErrors::default()
            })),
            created => Ok(created?),
        }
    }

    /// Revokes a key. Returns `None` if it does not exist or was revoked before.
    pub async fn revoke(&self, actor: &Actor, id: &ApiKeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        let (this, actor, id) = (self.clone(), actor.clone(), id.clone());
        run_detached(async move {
            let revoked = this.store.revoke_api_key(&actor, &id, this.clock.now()).await;
            // Also after an error: the revocation may have been committed.
            this.auth.invalidate_key(&id);
            let revoked = revoked?;
            cluster::wait_until_revoked(&this.store, &id).await?;
            Ok(revoked)
        })
        .await
    }

    /// Revokes a key from the command line. Unless the database is shared, waits until a running server has evicted the
    /// key from its cache.
    pub async fn revoke_from_cli(
        &self,
        actor: &Actor,
        id: &ApiKeyId,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        let revoked = self.revoke(actor, id).await?;
        if revoked.is_some() && !self.store.is_shared() {
            tokio::time::sleep(KEY_CACHE_TTL).await;
        }
        Ok(revoked)
    }
}

/// Returns the scopes in the order of [`SCOPES`], without duplicates. Returns `None` if the list is empty or contains
/// an unknown scope.
fn parse_scopes(names: &[String]) -> Option<Vec<String>> {
    let all_known = names.iter().all(|name| SCOPES.contains(&name.as_str()));
    let scopes = SCOPES
        .iter()
        .filter(|scope| names.iter().any(|name| name == *scope));
    let scopes: Vec<_> = scopes.map(|&scope| scope.to_owned()).collect();
    (all_known && !scopes.is_empty()).then_some(scopes)
}
