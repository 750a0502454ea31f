//! Who is asking: people by session, machines by API key. The only ways to get a [`User`] or an [`ApiKey`].

pub mod api_key;
mod client;
pub mod invites;
mod key_ring;
mod origin;
pub mod password;
pub mod session;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use tokio::sync::Mutex;
use tower_sessions::Session;

pub use client::Client;
use key_ring::KeyRing;
pub use key_ring::REMEMBERED;
use password::NewPassword;

use crate::{
    domain::{AccountId, Actor, ApiKeyId, Clock, Email, Role, SessionId, User, UserId},
    store::{ApiKey, AuditContext, Cache, SessionOwner, SessionUser, Stale, Store, StoreError, UserSession},
};

/// Signs people in and out, and recognises them and the machines that act for them. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    /// One sign-in at a time: it bounds what hashing costs, and lets no burst slip past the count of failures.
    turn: Arc<Mutex<()>>,
    keys: Arc<KeyRing>,
}

/// Why somebody was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The same for an unknown email and for a wrong password.
    #[error("Email or password is wrong.")]
    Wrong,
    #[error("Too many failed attempts.")]
    TooMany { retry_after: Duration },
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Why a machine is not let in.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No key, or one that does not exist, was revoked or has expired.
    #[error("Send a valid API key: “Authorization: Bearer KEY”.")]
    Invalid,
    /// The key may do other things.
    #[error("This API key lacks the scope {0}.")]
    MissingScope(&'static str),
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// Failures within [`WINDOW`] after which each further one is followed by a pause, in which nobody is let in under that
/// account, whatever the password.
const FAILURES_PER_ACCOUNT: u32 = 8;

/// The same for the address they come from, which many people may share.
const FAILURES_PER_ADDRESS: u32 = 24;

const WINDOW: Duration = Duration::from_secs(60 * 60);

/// The first pause; each is twice as long as the one before,
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// A session that is in use is written down as such no more often.
const SEEN: Duration = Duration::from_secs(60);

impl Auth {
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            turn: Arc::default(),
            keys: Arc::default(),
        }
    }

    /// Checks the password, and binds the session, under a new id, to its user.
    pub async fn sign_in(
        &self,
        session: &Session,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<User, SignInError> {
        let (user, password_hash) = {
            let _turn = self.turn.lock().await;
            self.check_password(&normal_email(email), password, client)
                .await?
        };
        self.begin_session(session, &user, &password_hash, client).await?;
        tracing::info!(user = %user.id, "user signed in");
        Ok(user)
    }

    /// The user with that password, and its hash.
    async fn check_password(
        &self,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<(User, String), SignInError> {
        let now = self.clock.now();
        let since = now.minus(WINDOW);
        let (account, address) = (format!("account {email}"), format!("address {}", client.address));
        for (key, limit) in [(&account, FAILURES_PER_ACCOUNT), (&address, FAILURES_PER_ADDRESS)] {
            if let Some(retry_after) = self.pause_after(key, limit).await? {
                return Err(SignInError::TooMany { retry_after });
            }
        }
        let found = self.store.user_by_email(email).await?;
        // An unknown email costs the same time as a known one.
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
                Err(SignInError::Wrong)
            }
        }
    }

    /// What is left of the pause that failures under this key have brought, if any is.
    async fn pause_after(&self, key: &str, limit: u32) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        let failures = self.store.login_failures(key, now.minus(WINDOW)).await?;
        let until = failures.newest.plus(pause(failures.count, limit));
        Ok((until > now).then(|| until.since(now)))
    }

    /// Binds the session, under a new id, to the user who has just shown that password.
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
        // A session id that somebody planted before the sign-in is worth nothing after it.
        session.cycle_id().await.map_err(unavailable)?;
        session
            .insert(session::OWNER, &owner)
            .await
            .map_err(unavailable)?;
        session.save().await.map_err(unavailable)?;
        // The session is there before: whoever disables the user now finds it, or is found here.
        let signed_in = self
            .store
            .record_sign_in(user, password_hash, client.origin(), now)
            .await;
        if !matches!(signed_in, Ok(true)) {
            self.sign_out(session).await?;
            signed_in?;
            return Err(SignInError::Wrong);
        }
        Ok(())
    }

    /// Ends the session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), StoreError> {
        session.flush().await.map_err(unavailable)
    }

    /// The user whom the session is bound to, as they are now, unless they were disabled since.
    pub async fn session_user(&self, session: &Session) -> Result<Option<SessionUser>, StoreError> {
        match hash_of(session) {
            Some(hash) => self.store.session_user(&hash, self.clock.now()).await,
            None => Ok(None),
        }
    }

    /// Writes down that the session is in use, unless that was done a moment ago; then it also lives longer.
    async fn touch(&self, session: &Session, found: &SessionUser, client: &Client) -> Result<(), StoreError> {
        let now = self.clock.now();
        if let Some(hash) = hash_of(session)
            && now.since(found.last_seen_at) >= SEEN
        {
            let address = client.address.to_string();
            self.store.touch_session(&hash, &address, now).await?;
            // Says nothing new, but makes tower-sessions save it with its expiry, and send the cookie again.
            session.set_expiry(session.expiry());
        }
        Ok(())
    }

    /// All sessions of a user, and whether it is this one, which comes first.
    pub async fn sessions(
        &self,
        user: &User,
        session: &Session,
    ) -> Result<Vec<(UserSession, bool)>, StoreError> {
        let current = hash_of(session);
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

    /// Ends all sessions of a user but this one, and answers how many.
    pub async fn end_other_sessions(
        &self,
        context: &AuditContext,
        user: &User,
        session: &Session,
    ) -> Result<u64, StoreError> {
        match hash_of(session) {
            Some(keep) => self.store.end_other_sessions(context, &user.id, &keep).await,
            None => Ok(0),
        }
    }

    /// Checks the old password like a sign-in does. This session goes on under a new id, all others end.
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
            let _turn = self.turn.lock().await;
            self.check_password(&user.email, old, client).await?;
            new.hash().await
        };
        session.cycle_id().await.map_err(unavailable)?;
        session.save().await.map_err(unavailable)?;
        let keep = hash_of(session);
        self.store
            .set_password(context, &user.id, &password_hash, keep.as_ref())
            .await?;
        Ok(())
    }

    /// The key that a request's `Authorization` header carries, if it may do what `scope` names.
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
                let lookup = self.keys.look_up();
                let key = self.store.api_key_by_hash(&hash).await?;
                let key = key.filter(|key| !key.has_expired(now));
                let key = Arc::new(key.ok_or(KeyError::Invalid)?);
                self.keys.remember(hash, Arc::clone(&key), now, lookup);
                key
            }
        };
        if key.scopes.iter().any(|has| has == scope) {
            Ok(key)
        } else {
            Err(KeyError::MissingScope(scope))
        }
    }

    /// What this process remembers of API keys: it has to hear of those that others revoke.
    pub fn cache(&self) -> Arc<dyn Cache> {
        Arc::clone(&self.keys) as _
    }

    /// Looks for the key in the database again, whoever sends it.
    pub fn forget_key(&self, id: &ApiKeyId) {
        self.keys.invalidate(&Stale::ApiKey(id.clone()));
    }

    /// Writes down when each key was last used; to call now and then, and at the end.
    pub async fn write_key_uses(&self) -> Result<(), StoreError> {
        let uses = self.keys.take_uses();
        if uses.is_empty() {
            return Ok(());
        }
        let written = self.store.record_api_key_uses(&uses).await;
        if written.is_err() {
            self.keys.put_back(&uses);
        }
        written
    }

    /// Makes a user, for whoever runs the program. [`StoreError::Conflict`] if the email is taken.
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

    /// What whoever runs the program does, without being a user.
    pub fn operator(&self, account_id: AccountId) -> AuditContext {
        AuditContext {
            actor: Actor::operator(account_id),
            at: self.clock.now(),
        }
    }
}

/// After so many failures, the newest included.
///
/// | beyond the limit | 0 | 1 | 2 | 3 | 4 | 5 and more |
/// |---|---|---|---|---|---|---|
/// | pause | 30 s | 1 min | 2 min | 4 min | 8 min | 15 min |
fn pause(failures: u32, limit: u32) -> Duration {
    failures.checked_sub(limit).map_or(Duration::ZERO, |beyond| {
        FIRST_PAUSE.saturating_mul(1 << beyond.min(8)).min(LONGEST_PAUSE)
    })
}

/// Emails are compared without regard to case.
fn normal_email(email: &str) -> String {
    // Without NUL, which no database has to store, and no email has.
    let email = email.trim().to_lowercase().replace('\0', "\u{fffd}");
    if email.len() <= Email::MAX_LENGTH {
        email
    } else {
        String::new()
    }
}

/// Under which the store has the session, if the browser named one.
fn hash_of(session: &Session) -> Option<[u8; 32]> {
    session.id().map(|id| session::hash(&id))
}

fn unavailable(error: tower_sessions::session::Error) -> StoreError {
    StoreError::unavailable(error)
}

/// A signed-in person, as an argument of a handler.
///
/// A request looks for them once: whoever asks again gets the same answer.
#[derive(Clone)]
pub struct SignedIn(pub User);

/// Why nobody is known to be signed in.
#[derive(Debug, thiserror::Error)]
pub enum NotSignedIn {
    #[error("nobody is signed in")]
    Nobody,
    #[error("a session could not be read: {0}")]
    Unavailable(String),
}

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, NotSignedIn> {
        if let Some(found) = parts.extensions.get::<Self>() {
            return Ok(found.clone());
        }
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(_, error)| NotSignedIn::Unavailable(error.to_owned()))?;
        let auth = Auth::from_ref(state);
        match auth.session_user(&session).await {
            Ok(Some(found)) => {
                let Ok(client) = Client::from_request_parts(parts, state).await;
                if let Err(error) = auth.touch(&session, &found, &client).await {
                    tracing::warn!(%error, "failed to update the last use of a session");
                }
                let found = Self(found.user);
                parts.extensions.insert(found.clone());
                Ok(found)
            }
            Ok(None) => Err(NotSignedIn::Nobody),
            Err(error) => {
                tracing::error!(%error, "failed to load a session");
                Err(NotSignedIn::Unavailable(error.to_string()))
            }
        }
    }
}

impl IntoResponse for NotSignedIn {
    /// For whoever has no better answer.
    fn into_response(self) -> Response {
        match self {
            Self::Nobody => StatusCode::UNAUTHORIZED.into_response(),
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_as_long_up_to_a_quarter_of_an_hour() {
        let pauses = [0, 7, 8, 9, 10, 11, 12, 13, 14, u32::MAX].map(|failures| pause(failures, 8).as_secs());
        assert_eq!(pauses, [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
    }
}
