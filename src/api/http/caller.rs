//! Authentication and scopes: handlers take a [`Caller`] for the scope that they require.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{Problem, limits::RateLimitSlot};
use crate::{
    api::Api,
    auth::api_key::{AUDIT_READ, EVENTS_WRITE, WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{Origin, UrlVisibility},
    store::ApiKey,
    webhooks::Actor,
};

/// A scope that an endpoint requires.
pub(crate) trait Scope: Send + Sync {
    const NAME: &'static str;
    /// Whether the request counts towards the API rate limit. Publishing has its own limit, by events.
    const COUNTS_AS_CALL: bool = true;
}

pub(crate) struct Publish;
pub(crate) struct Read;
pub(crate) struct Write;
pub(crate) struct Audit;

impl Scope for Publish {
    const NAME: &'static str = EVENTS_WRITE;
    const COUNTS_AS_CALL: bool = false;
}

impl Scope for Read {
    const NAME: &'static str = WEBHOOKS_READ;
}

impl Scope for Write {
    const NAME: &'static str = WEBHOOKS_WRITE;
}

impl Scope for Audit {
    const NAME: &'static str = AUDIT_READ;
}

/// The API key of a request, which has the scope `S`.
pub(crate) struct Caller<S> {
    key: Arc<ApiKey>,
    origin: Origin,
    scope: PhantomData<S>,
}

impl<S> Caller<S> {
    /// Returns the actor for the audit log.
    pub(crate) fn actor(&self) -> Actor {
        Actor::api_key(self.account_id.clone(), &self.name, self.origin)
    }

    /// Returns what the key sees of webhooks' URLs.
    pub(crate) fn url_visibility(&self) -> UrlVisibility {
        UrlVisibility::of_editor(self.scopes.iter().any(|scope| scope == WEBHOOKS_WRITE))
    }
}

impl<S> Deref for Caller<S> {
    type Target = ApiKey;

    fn deref(&self) -> &ApiKey {
        &self.key
    }
}

impl<S: Scope> FromRequestParts<Api> for Caller<S> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Ok(origin) = Origin::from_request_parts(parts, api).await;
        let key = api.auth.require_key(&parts.headers, S::NAME).await?;
        if S::COUNTS_AS_CALL
            && let Some(status) = api.limits.call(&key.id)?
            && let Some(slot) = parts.extensions.get::<RateLimitSlot>()
        {
            // Fails only if it is set already, and a handler extracts one caller.
            let _ = slot.0.set(status);
        }
        Ok(Self {
            key,
            origin,
            scope: PhantomData,
        })
    }
}
