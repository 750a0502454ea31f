//! Signing in with a password, and the limits of failed attempts.
//!
//! Failures are counted per account and per address. An attacker who keeps guessing thereby locks the account, also for
//! the correct password. So that this never locks out its user, a browser that has signed in to the account before, and a
//! session that changes its password, are counted by themselves.

use std::time::Duration;

use tower_sessions::Session;

use super::{
    Auth, Client, known_browser,
    password::{self, NewPassword},
    session::{self, session_hash, unavailable},
};
use crate::{
    domain::{Email, SessionId, User, UserId},
    store::{AuditContext, SessionOwner, StoreError},
};

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

/// A session that a client has just started.
pub struct NewSession {
    pub user: User,
    /// Token of the browser, for the cookie [`BROWSER_COOKIE`].
    pub browser_token: String,
}

/// Number of failures within [`FAILURE_WINDOW`] after which the account is locked for a while, even for the correct
/// password. Browsers that have signed in to the account before are counted by themselves.
const MAX_FAILURES_PER_ACCOUNT: u32 = 8;

/// Number of failures within [`FAILURE_WINDOW`] after which a browser that has signed in before is locked out for a
/// while.
const MAX_FAILURES_PER_BROWSER: u32 = 8;

/// Number of failures within [`FAILURE_WINDOW`] after which the client's address, or its /64 of IPv6, is locked out for a
/// while. Higher than the limit per account, because many users may share an address.
const MAX_FAILURES_PER_ADDRESS: u32 = 24;

pub(super) const FAILURE_WINDOW: Duration = Duration::from_secs(60 * 60);

/// Duration of the first lockout. Each further failure doubles it, up to [`MAX_LOCKOUT`].
const INITIAL_LOCKOUT: Duration = Duration::from_secs(30);

const MAX_LOCKOUT: Duration = Duration::from_secs(15 * 60);

impl Auth {
    /// Checks the password and binds the session, under a new id, to the user.
    pub async fn sign_in(
        &self,
        session: &Session,
        email: &str,
        password: &str,
        client: &Client,
    ) -> Result<NewSession, SignInError> {
        let (user, password_hash) = {
            let _guard = self.sign_in_lock.lock().await;
            self.check_password(&normalize_email(email), password, client, None)
                .await?
        };
        let new = self.begin_session(session, user, &password_hash, client).await?;
        tracing::info!(user = %new.user.id, "user signed in");
        Ok(new)
    }

    /// Returns the user and the stored hash if the password is correct. `signed_in` is the user of the session, if the
    /// client has one.
    async fn check_password(
        &self,
        email: &str,
        password: &str,
        client: &Client,
        signed_in: Option<&UserId>,
    ) -> Result<(User, String), SignInError> {
        let now = self.clock.now();
        let since = now.minus(FAILURE_WINDOW);
        let found = self.store.user_by_email(email).await?;
        let strangers = [
            (account_key(email), MAX_FAILURES_PER_ACCOUNT),
            (format!("address {}", client.network()), MAX_FAILURES_PER_ADDRESS),
        ];
        let browser = client
            .browser_token
            .as_ref()
            .zip(found.as_ref())
            .and_then(|(token, (_, hash))| known_browser::verify(token, email, hash));
        // Sessions and known browsers do not have the limits of strangers, which an attacker can exceed at any time.
        // Guesses in a session count for both.
        let (limits, others) = match (signed_in, browser) {
            (Some(user), _) => (
                vec![(format!("session {user}"), MAX_FAILURES_PER_BROWSER)],
                &strangers[..],
            ),
            (None, Some(id)) => (vec![(format!("browser {id}"), MAX_FAILURES_PER_BROWSER)], &[][..]),
            (None, None) => (strangers.to_vec(), &[][..]),
        };
        for (key, limit) in &limits {
            if let Some(retry_after) = self.remaining_lockout(key, *limit).await? {
                return Err(SignInError::TooManyFailures { retry_after });
            }
        }
        // Also hashes for an unknown email, so that the response time does not reveal whether it exists.
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let matches = password::verify(password.to_owned(), hash).await;
        match found.filter(|_| matches) {
            Some(found) => {
                // The count of the account, the browser or the session. That of the address stays.
                if let Some((key, _)) = limits.first() {
                    self.store.clear_login_failures(key).await?;
                }
                Ok(found)
            }
            None => {
                tracing::warn!("sign-in rejected");
                let keys = limits.iter().chain(others).map(|(key, _)| key.clone());
                let keys: Vec<_> = keys.collect();
                self.store
                    .record_login_failure(email, client.origin(), &keys, now, since)
                    .await?;
                Err(SignInError::WrongCredentials)
            }
        }
    }

    /// Returns how long this key is still locked out, or `None` if it is not.
    pub(super) async fn remaining_lockout(
        &self,
        key: &str,
        limit: u32,
    ) -> Result<Option<Duration>, StoreError> {
        let now = self.clock.now();
        let failures = self.store.login_failures(key, now.minus(FAILURE_WINDOW)).await?;
        let until = failures.newest.plus(lockout(failures.count, limit));
        Ok((until > now).then(|| until.since(now)))
    }

    /// Binds the session, under a new id, to a user whose password was just checked.
    pub(super) async fn begin_session(
        &self,
        session: &Session,
        user: User,
        password_hash: &str,
        client: &Client,
    ) -> Result<NewSession, SignInError> {
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
            .record_sign_in(&user, password_hash, client.origin(), now)
            .await;
        if !matches!(signed_in, Ok(true)) {
            session.flush().await.map_err(unavailable)?;
            signed_in?;
            return Err(SignInError::WrongCredentials);
        }
        let browser_token = known_browser::issue(&user.email, password_hash);
        Ok(NewSession { user, browser_token })
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
            self.check_password(&user.email, old, client, Some(&user.id))
                .await?;
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

    /// Unlocks an account that was locked after failed sign-ins.
    pub async fn unlock(&self, email: &str) -> Result<(), StoreError> {
        self.store.clear_login_failures(&account_key(email)).await
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

/// Returns the key that counts the failures of strangers for an account.
fn account_key(email: &str) -> String {
    format!("account {email}")
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
