//! Authentication: users by session, API clients by key. The only source of an authenticated [`User`] or [`ApiKey`].

pub mod api_key;
mod client;
pub mod invites;
mod key_cache;
mod origin;
pub mod password;
pub mod session;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::sync::Mutex;
use tower_sessions::Session;

pub use client::Client;
pub use key_cache::KEY_CACHE_TTL;
use key_cache::KeyCache;
use password::NewPassword;

use crate::{
    domain::{AccountId, Actor, ApiKeyId, Clock, Email, Role, SessionId, User, UserId},
    store::{
        ApiKey, AuditContext, Cache, CacheKey, SessionOwner, SessionUser, Store, StoreError, UserSession,
    },
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

/// Reason why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown email or wrong password. Does not reveal which.
    #[error("Email or password is wrong.")]
    WrongCredentials,
    #[error("Too many failed attempts.")]
    TooManyFailures { retry_after: Duration },
    #[error(transparent)]
    Unavailable(#[from] StoreError),
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

/// Number of failures within [`FAILURE_WINDOW`] after which the account is locked for a while, even for the correct
/// password.
const MAX_FAILURES_PER_ACCOUNT: u32 = 8;

/// Number of failures within [`FAILURE_WINDOW`] after which the client's address is locked out for a while. Higher than
/// the limit per account, because many users may share an address.
const MAX_FAILURES_PER_ADDRESS: u32 = 24;

const FAILURE_WINDOW: Duration = Duration::from_secs(60 * 60);

/// Duration of the first lockout. Each further failure doubles it, up to [`MAX_LOCKOUT`].
const INITIAL_LOCKOUT: Duration = Duration::from_secs(30);

const MAX_LOCKOUT: Duration = Duration::from_secs(15 * 60);

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

    /// Checks the password and binds the session, under a new id, to the user.
    pub async fn sign_in(
        &self,
        session: &Session,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<User, SignInError> {
        let (user, password_hash) = {
            let _guard = self.sign_in_lock.lock().await;
            self.check_password(&normalize_email(email), password, client)
                .await?
        };
        self.begin_session(session, &user, &password_hash, client).await?;
        tracing::info!(user = %user.id, "user signed in");
        Ok(user)
    }

    /// Returns the user and the stored hash if the password is correct.
    async fn check_password(
        &self,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<(User, String), SignInError> {
        let now = self.clock.now();
        let since = now.minus(FAILURE_WINDOW);
        let (account, address) = (format!("account {email}"), format!("address {}", client.address));
        for (key, limit) in [
            (&account, MAX_FAILURES_PER_ACCOUNT),
            (&address, MAX_FAILURES_PER_ADDRESS),
        ] {
            if let Some(retry_after) = self.remaining_lockout(key, limit).await? {
                return Err(SignInError::TooManyFailures { retry_after });
            }
        }
        let found = self.store.user_by_email(email).await?;
        // Also hashes for an unknown email, so that the response time does not reveal whether it exists.
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let matches = password::verify(password.to_owned(), hash).await;
        match found.filter(|_| matches) {
            Some(found) => {
                self.store.clear_login_failures(&account).await?;
                Ok(found)
            }
            None => {
                tracing::warn!("sign-in rejected");
                self.store
                    .record_login_failure(email, client.origin(), &[account, address], now, since)
                    .await?;
                Err(SignInError::WrongCredentials)
            }
        }
    }

    /// Returns how long this key is still locked out, or `None` if it is not.
    async fn remaining_lockout(&self, key: &str, limit: u32) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        let failures = self.store.login_failures(key, now.minus(FAILURE_WINDOW)).await?;
        let until = failures.newest.plus(lockout(failures.count, limit));
        Ok((until > now).then(|| until.since(now)))
    }

    /// Binds the session, under a new id, to a user whose password was just checked.
    async fn begin_session(
        &self,
        session: &Session,
        user: &User,
        password_hash: &str,
        client: &Client,
    ) -> Result<(), SignInError> {
        let now = self.clock.now();
        let owner = SessionOwner {
            id: SessionId::generate(now),
            user_id: user.id.clone(),
            created_at: now,
            address: client.address.to_string(),
            user_agent: client.user_agent.clone(),
        };
        // A new id prevents session fixation.
        session.cycle_id().await.map_err(unavailable)?;
        session
            .insert(session::OWNER_KEY, &owner)
            .await
            .map_err(unavailable)?;
        session.save().await.map_err(unavailable)?;
        // The session is stored first. Either a concurrent disabling of the user ends it, or this call detects that the
        // user is disabled.
        let signed_in = self
            .store
            .record_sign_in(user, password_hash, client.origin(), now)
            .await;
        if !matches!(signed_in, Ok(true)) {
            session.flush().await.map_err(unavailable)?;
            signed_in?;
            return Err(SignInError::WrongCredentials);
        }
        Ok(())
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

    /// Changes the password after checking the old one. This session gets a new id; all others end.
    pub async fn change_password(
        &self,
        session: &Session,
        context: &AuditContext,
        user: &User,
        old: &str,
        new: &NewPassword,
        client: &Client,
    ) -> Result<(), SignInError> {
        let password_hash = {
            let _guard = self.sign_in_lock.lock().await;
            self.check_password(&user.email, old, client).await?;
            new.hash().await
        };
        session.cycle_id().await.map_err(unavailable)?;
        session.save().await.map_err(unavailable)?;
        let keep = session_hash(session);
        self.store
            .set_password(context, &user.id, &password_hash, keep.as_ref())
            .await?;
        Ok(())
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

/// Returns the lockout that follows this number of failures.
///
/// | failures beyond the limit | 0 | 1 | 2 | 3 | 4 | 5 or more |
/// |---|---|---|---|---|---|---|
/// | lockout | 30 s | 1 min | 2 min | 4 min | 8 min | 15 min |
fn lockout(failures: u32, limit: u32) -> Duration {
    failures.checked_sub(limit).map_or(Duration::ZERO, |beyond| {
        INITIAL_LOCKOUT
            .saturating_mul(1 << beyond.min(8))
            .min(MAX_LOCKOUT)
    })
}

/// Normalizes an email for lookups, which ignore case.
fn normalize_email(email: &str) -> String {
    // PostgreSQL cannot store NUL, and no valid email contains it.
    let email = Email::normalize(email).replace('\0', "\u{fffd}");
    if email.len() <= Email::MAX_LENGTH {
        email
    } else {
        String::new()
    }
}

/// Returns the key of the session in the store, or `None` if the request has no session cookie.
fn session_hash(session: &Session) -> Option<[u8; 32]> {
    session.id().map(|id| session::hash(&id))
}

fn unavailable(error: tower_sessions::session::Error) -> StoreError {
    StoreError::unavailable(error)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lockout_doubles_up_to_15_minutes() {
        let lockouts =
            [0, 7, 8, 9, 10, 11, 12, 13, 14, u32::MAX].map(|failures| lockout(failures, 8).as_secs());
        assert_eq!(lockouts, [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
    }
}
