//! Authentication: users by session, API clients by key. The only source of an authenticated [`User`] or [`ApiKey`].

pub mod api_key;
mod client;
pub mod invites;
mod key_cache;
mod known_browser;
mod origin;
pub mod password;
pub mod session;
mod sign_in;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::sync::Mutex;
use tower_sessions::Session;

pub use client::{BROWSER_COOKIE, Client, cookie_name};
pub use key_cache::KEY_CACHE_TTL;
use key_cache::KeyCache;
use session::{session_hash, unavailable};
pub use sign_in::{NewSession, SignInError};

use crate::{
    domain::{AccountId, Actor, ApiKeyId, Clock, Email, Role, SessionId, User, UserId},
    store::{ApiKey, AuditContext, Cache, CacheKey, SessionUser, Store, StoreError, UserSession},
};

/// Signs users in and out, and authenticates sessions and API keys. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    /// Serializes sign-ins: this bounds the cost of hashing, and no burst of attempts bypasses the failure count.
    sign_in_lock: Arc<Mutex<()>>,
    keys: Arc<KeyCache>,
}

/// Reason why an API key was rejected.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The key is missing, unknown, revoked or expired.
    #[error("Send a valid API key in the header “Authorization: Bearer KEY”.")]
    Invalid,
    /// The key is valid but lacks this scope.
    #[error("This API key lacks the scope {0}.")]
    MissingScope(&'static str),
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Minimum time between two updates of a session's last use.
const TOUCH_INTERVAL: Duration = Duration::from_secs(60);

impl Auth {
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            sign_in_lock: Arc::default(),
            keys: Arc::default(),
        }
    }

    /// Ends the session and records it, unless the session has ended already.
    pub async fn sign_out(&self, session: &Session, client: &Client) -> Result<(), StoreError> {
        if let (Some(hash), Some(SessionUser { user, .. })) =
            (session_hash(session), self.session_user(session).await?)
        {
            let context = AuditContext {
                actor: Actor::user(user.account_id, &user.email, client.origin()),
                at: self.clock.now(),
            };
            self.store.sign_out(&context, &user.id, &hash).await?;
        }
        session.flush().await.map_err(unavailable)
    }

    /// Returns the session's user with their current data, or `None` if there is none or the user is disabled.
    pub async fn session_user(&self, session: &Session) -> Result<Option<SessionUser>, StoreError> {
        match session_hash(session) {
            Some(hash) => self.store.session_user(&hash, self.clock.now()).await,
            None => Ok(None),
        }
    }

    /// Records the use of the session and extends its lifetime, at most once per [`TOUCH_INTERVAL`].
    async fn touch(&self, session: &Session, user: &SessionUser, client: &Client) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Some(hash) = session_hash(session)
            && now.since(user.last_seen_at) >= TOUCH_INTERVAL
        {
            let address = client.address.to_string();
            self.store.touch_session(&hash, &address, now).await?;
            // Marks the session as modified: tower-sessions saves it with a new expiry and sends the cookie again.
            session.set_expiry(session.expiry());
        }
        Ok(())
    }

    /// Returns all sessions of a user, each with whether it is the current one. The current session comes first.
    pub async fn sessions(
        &self,
        user: &User,
        session: &Session,
    ) -> Result<Vec<(UserSession, bool)>, StoreError> {
        let current = session_hash(session);
        let sessions = self
            .store
            .of(&user.account_id)
            .user_sessions(&user.id, self.clock.now())
            .await?;
        let marked = sessions.into_iter().map(|session| {
            let is_current = Some(session.id_hash) == current;
            (session, is_current)
        });
        let mut marked: Vec<_> = marked.collect();
        marked.sort_by_key(|(_, is_current)| !is_current);
        Ok(marked)
    }

    /// Ends a session of a user. Returns `false` if the user has no such session.
    pub async fn end_session(
        &self,
        context: &AuditContext,
        user: &User,
        session: &SessionId,
    ) -> Result<bool, StoreError> {
        self.store.end_session(context, &user.id, session).await
    }

    /// Ends all sessions of a user except this one. Returns the number of ended sessions.
    pub async fn end_other_sessions(
        &self,
        context: &AuditContext,
        user: &User,
        session: &Session,
    ) -> Result<u64, StoreError> {
        match session_hash(session) {
            Some(keep) => self.store.end_other_sessions(context, &user.id, &keep).await,
            None => Ok(0),
        }
    }

    /// Returns the API key in the `Authorization` header if it is valid and has the scope.
    pub async fn require_key(
        &self,
        headers: &axum::http::HeaderMap,
        scope: &'static str,
    ) -> Result<Arc<ApiKey>, KeyError> {
        let text = headers
            .get(axum::http::header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, key)| key.trim())
            .ok_or(KeyError::Invalid)?;
        let (hash, now) = (api_key::hash(text), self.clock.now());
        let key = match self.keys.find(&hash, now) {
            Some(key) => key,
            None => {
                let generation = self.keys.generation();
                let key = self.store.api_key_by_hash(&hash).await?;
                let key = key.filter(|key| !key.has_expired(now));
                let key = Arc::new(key.ok_or(KeyError::Invalid)?);
                self.keys.insert(hash, Arc::clone(&key), now, generation);
                key
            }
        };
        if key.scopes.iter().any(|has| has == scope) {
            Ok(key)
        } else {
            Err(KeyError::MissingScope(scope))
        }
    }

    /// Returns the cache of API keys, which must be invalidated when another process revokes a key.
    pub fn cache(&self) -> Arc<dyn Cache> {
        Arc::clone(&self.keys) as _
    }

    /// Removes a key from the cache: the next request loads it from the database.
    pub fn invalidate_key(&self, id: &ApiKeyId) {
        self.keys.invalidate(&CacheKey::ApiKey(id.clone()));
    }

    /// Saves when each key was last used. Called periodically and at shutdown.
    pub async fn flush_key_uses(&self) -> Result<(), StoreError> {
        let uses = self.keys.take_uses();
        if uses.is_empty() {
            return Ok(());
        }
        let saved = self.store.record_api_key_uses(&uses).await;
        if saved.is_err() {
            self.keys.restore_uses(&uses);
        }
        saved
    }

    /// Adds a user on behalf of the operator. Returns [`StoreError::Conflict`] if the email is taken.
    pub async fn add_user(
        &self,
        account_id: AccountId,
        email: &Email,
        role: Role,
        password: &str,
    ) -> Result<User, StoreError> {
        let context = self.operator(account_id.clone());
        let user = User {
            id: UserId::generate(context.at),
            account_id,
            email: email.to_string(),
            role,
        };
        let hash = password::hash(password.to_owned()).await;
        self.store.insert_user(&context, &user, &hash).await?;
        Ok(user)
    }

    /// Returns the audit context for actions of the operator, who is not a user.
    pub fn operator(&self, account_id: AccountId) -> AuditContext {
        AuditContext {
            actor: Actor::operator(account_id),
            at: self.clock.now(),
        }
    }
}

/// Extractor for the signed-in user. Loads the user once per request.
#[derive(Clone)]
pub struct SignedIn(pub User);

/// Reason why a request has no signed-in user.
#[derive(Debug, thiserror::Error)]
pub enum NotSignedIn {
    #[error("not signed in")]
    NoSession,
    #[error("cannot load the session: {0}")]
    Unavailable(String),
}

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NotSignedIn> {
        if let Some(signed_in) = parts.extensions.get::<Self>() {
            return Ok(signed_in.clone());
        }
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(_, error)| NotSignedIn::Unavailable(error.to_owned()))?;
        let auth = Auth::from_ref(state);
        match auth.session_user(&session).await {
            Ok(Some(session_user)) => {
                let Ok(client) = Client::from_request_parts(parts, state).await;
                if !is_in_background(&parts.headers)
                    && let Err(error) = auth.touch(&session, &session_user, &client).await
                {
                    tracing::warn!(%error, "failed to update the last use of a session");
                }
                let signed_in = Self(session_user.user);
                parts.extensions.insert(signed_in.clone());
                Ok(signed_in)
            }
            Ok(None) => Err(NotSignedIn::NoSession),
            Err(error) => {
                tracing::error!(%error, "failed to load a session");
                Err(NotSignedIn::Unavailable(error.to_string()))
            }
        }
    }
}

/// Returns whether a page sent the request on its own. An open page that asks for updates must not keep a session alive
/// without a user.
fn is_in_background(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept == "text/event-stream")
}

impl IntoResponse for NotSignedIn {
    /// Default response, for handlers without an error page.
    fn into_response(self) -> Response {
        match self {
            Self::NoSession => StatusCode::UNAUTHORIZED.into_response(),
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}
