//! Invites: a link with a token of 256 random bits, shown once and stored as SHA-256.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tower_sessions::Session;
use zeroize::Zeroizing;

use super::{
    Auth, Client,
    password::NewPassword,
    sign_in::{FAILURE_WINDOW, NewSession, SignInError},
};
use crate::{
    domain::{Email, InviteId, Role, UserId},
    store::{AuditContext, Invite, InviteOutcome, InviteToken, NewInvite, OpenInvite, StoreError},
};

/// Time until an invite link expires.
pub const INVITE_LIFETIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Number of invalid links from one address after which it is locked out for a while, as at sign-in.
const MAX_FAILURES_PER_ADDRESS: u32 = 24;

/// Reason why an invite was rejected.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// The invite is unknown, used, expired or revoked, or another user has its email by now.
    #[error("the invite is not open")]
    NotOpen,
    #[error("too many invalid invite links")]
    TooManyFailures { retry_after: Duration },
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl Auth {
    /// Adds an invite and returns its token, which is not stored, or the reason why the invite was refused.
    pub async fn invite(
        &self,
        context: &AuditContext,
        email: Email,
        role: Role,
    ) -> Result<Result<Zeroizing<String>, InviteOutcome>, StoreError> {
        let text = generate();
        let invite = NewInvite {
            id: InviteId::generate(context.at),
            email,
            role,
            token: hashed_token(&text, context),
        };
        Ok(match self.store.insert_invite(context, &invite).await? {
            InviteOutcome::Created => Ok(text),
            refused => Err(refused),
        })
    }

    /// Replaces the token of an invite, which invalidates the previous link. Returns `None` if there is no such invite.
    pub async fn renew_invite(
        &self,
        context: &AuditContext,
        id: &InviteId,
    ) -> Result<Option<(Invite, Zeroizing<String>)>, StoreError> {
        let text = generate();
        let invite = self
            .store
            .renew_invite(context, id, hashed_token(&text, context))
            .await?;
        Ok(invite.map(|invite| (invite, text)))
    }

    /// Returns the open invite of a token.
    pub async fn open_invite(&self, token: &str, client: &Client) -> Result<OpenInvite, InviteError> {
        let now = self.clock.now();
        let since = now.minus(FAILURE_WINDOW);
        let key = format!("invite {}", client.network());
        if let Some(retry_after) = self.remaining_lockout(&key, MAX_FAILURES_PER_ADDRESS).await? {
            return Err(InviteError::TooManyFailures { retry_after });
        }
        match self.store.open_invite(&hash(token), now).await? {
            Some(invite) => Ok(invite),
            None => {
                self.store
                    .record_login_failure("", client.origin(), &[key], now, since)
                    .await?;
                Err(InviteError::NotOpen)
            }
        }
    }

    /// Adds the invited user and signs them in.
    pub async fn accept_invite(
        &self,
        session: &Session,
        token: &str,
        password: &NewPassword,
        client: &Client,
    ) -> Result<NewSession, InviteError> {
        let (user, password_hash) = {
            let _guard = self.sign_in_lock.lock().await;
            self.open_invite(token, client).await?;
            let (now, password_hash) = (self.clock.now(), password.hash().await);
            let id = UserId::generate(now);
            let accepted = self
                .store
                .accept_invite(&hash(token), &id, &password_hash, client.origin(), now)
                .await?;
            (accepted.ok_or(InviteError::NotOpen)?, password_hash)
        };
        match self.begin_session(session, user, &password_hash, client).await {
            Ok(signed_in) => Ok(signed_in),
            Err(SignInError::Unavailable(error)) => Err(error.into()),
            // The user was disabled in between.
            Err(SignInError::WrongCredentials | SignInError::TooManyFailures { .. }) => {
                Err(InviteError::NotOpen)
            }
        }
    }
}

fn generate() -> Zeroizing<String> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).expect("the system's random numbers are available");
    Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()))
}

fn hashed_token(token: &str, context: &AuditContext) -> InviteToken {
    InviteToken {
        hash: hash(token),
        expires_at: context.at.plus(INVITE_LIFETIME),
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
