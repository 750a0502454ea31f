//! Who is asking: people by session, machines by API key. The only ways to get a [`User`] or an [`ApiKey`].

pub mod api_key;
mod key_ring;
pub mod password;
pub mod session;

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::Mutex;
use tower_sessions::Session;

use key_ring::KeyRing;

use crate::{
    domain::{AccountId, Clock, Role, User, UserId},
    store::{ApiKey, Store, StoreError},
};

/// Signs people in and out, and recognises them and the machines that act for them. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    store: Arc<dyn Store>,
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
    /// No key, or one that does not exist or was revoked.
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

/// What a session holds.
const USER: &str = "user";

/// Emails longer than this are nobody's.
const MAX_EMAIL: usize = 254;

impl Auth {
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
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
        address: IpAddr,
    ) -> Result<User, SignInError> {
        let email = normal_email(email);
        let user = {
            let _turn = self.turn.lock().await;
            self.check_password(&email, password, address).await?
        };
        // A session id that somebody planted before the sign-in is worth nothing after it.
        session.cycle_id().await.map_err(unavailable)?;
        session.insert(USER, &user.id).await.map_err(unavailable)?;
        tracing::info!(user = %user.id, "signed in");
        Ok(user)
    }

    async fn check_password(
        &self,
        email: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<User, SignInError> {
        let now = self.clock.now();
        let since = now.minus(WINDOW);
        let (account, address) = (format!("account {email}"), format!("address {address}"));
        for (key, limit) in [(&account, FAILURES_PER_ACCOUNT), (&address, FAILURES_PER_ADDRESS)] {
            let failures = self.store.login_failures(key, since).await?;
            let until = failures.newest.plus(pause(failures.count, limit));
            if until > now {
                let retry_after = until.since(now);
                return Err(SignInError::TooMany { retry_after });
            }
        }
        let found = self.store.user_by_email(email).await?;
        let (user, hash) = found.map_or((None, None), |(user, hash)| (Some(user), Some(hash)));
        // An unknown email costs the same time as a known one.
        let matches = password::verify(password.to_owned(), hash).await;
        match user.filter(|_| matches) {
            Some(user) => {
                self.store.clear_login_failures(&account).await?;
                Ok(user)
            }
            None => {
                tracing::warn!("a sign-in was refused");
                self.store
                    .record_login_failure(&[account, address], now, since)
                    .await?;
                Err(SignInError::Wrong)
            }
        }
    }

    /// Ends the session.
    pub async fn sign_out(&self, session: &Session) -> Result<(), StoreError> {
        session.flush().await.map_err(unavailable)
    }

    /// The user whom the session is bound to, unless they were disabled since.
    pub async fn session_user(&self, session: &Session) -> Result<Option<User>, StoreError> {
        match session.get::<UserId>(USER).await.map_err(unavailable)? {
            Some(id) => self.store.user(&id).await,
            None => Ok(None),
        }
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
                let key = self.store.api_key_by_hash(&hash).await?;
                let key = Arc::new(key.ok_or(KeyError::Invalid)?);
                self.keys.remember(hash, Arc::clone(&key), now);
                key
            }
        };
        if key.scopes.iter().any(|has| has == scope) {
            Ok(key)
        } else {
            Err(KeyError::MissingScope(scope))
        }
    }

    /// Makes a user. [`StoreError::Conflict`] if the email is taken.
    pub async fn add_user(
        &self,
        account_id: AccountId,
        email: &str,
        role: Role,
        password: &str,
    ) -> Result<User, StoreError> {
        let now = self.clock.now();
        let user = User {
            id: UserId::generate(now),
            account_id,
            email: normal_email(email),
            role,
        };
        let hash = password::hash(password.to_owned()).await;
        self.store.insert_user(&user, &hash, now).await?;
        Ok(user)
    }

    /// False if there is no such user.
    pub async fn set_password(&self, email: &str, password: &str) -> Result<bool, StoreError> {
        let hash = password::hash(password.to_owned()).await;
        self.store.set_password(&normal_email(email), &hash).await
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
    if email.len() <= MAX_EMAIL {
        email
    } else {
        String::new()
    }
}

fn unavailable(error: tower_sessions::session::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// A signed-in person, as an argument of a handler. Anybody else is sent to the sign-in page, and back afterwards.
pub struct SignedIn(pub User);

impl<S> FromRequestParts<S> for SignedIn
where
    S: Send + Sync,
    Auth: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
        match Auth::from_ref(state).session_user(&session).await {
            Ok(Some(user)) => Ok(Self(user)),
            Ok(None) => {
                let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
                let next = utf8_percent_encode(here, NON_ALPHANUMERIC);
                Err(Redirect::to(&format!("/login?next={next}")).into_response())
            }
            Err(error) => {
                tracing::error!(%error, "a session could not be read");
                let text = "The database is not available. Try again in a moment.";
                Err((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "5")], text).into_response())
            }
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
