//! Invites: a link with 256 random bits, shown once, kept as their SHA-256.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tower_sessions::Session;
use zeroize::Zeroizing;

use super::{Auth, Client, SignInError, WINDOW, password::NewPassword};
use crate::{
    domain::{Email, InviteId, Role, User, UserId},
    store::{AuditContext, Invite, InviteToken, Invited, NewInvite, OpenInvite, StoreError},
};

/// For so long a link can be used.
pub const VALID: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Links that lead nowhere, from one address, after which each further one brings a pause, as at the sign-in.
const FAILURES_PER_ADDRESS: u32 = 24;

/// Why a link does not make a user.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// Used, expired, revoked or never made; or somebody else has that email by now.
    #[error("there is no such invite")]
    NotOpen,
    #[error("too many links that lead nowhere")]
    TooMany { retry_after: Duration },
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

impl Auth {
    /// Makes an invite, and answers its token, which is nowhere else; or why there is none.
    pub async fn invite(
        &self,
        context: &AuditContext,
        email: Email,
        role: Role,
    ) -> Result<Result<Zeroizing<String>, Invited>, StoreError> {
        let text = generate();
        let invite = NewInvite {
            id: InviteId::generate(context.at),
            email,
            role,
            token: kept(&text, context),
        };
        Ok(match self.store.insert_invite(context, &invite).await? {
            Invited::Done => Ok(text),
            refused => Err(refused),
        })
    }

    /// Another link for the same person; the one before leads nowhere from now on.
    pub async fn renew_invite(
        &self,
        context: &AuditContext,
        id: &InviteId,
    ) -> Result<Option<(Invite, Zeroizing<String>)>, StoreError> {
        let text = generate();
        let invite = self.store.renew_invite(context, id, kept(&text, context)).await?;
        Ok(invite.map(|invite| (invite, text)))
    }

    /// What a link is for.
    pub async fn open_invite(&self, token: &str, client: &Client) -> Result<OpenInvite, InviteError> {
        let now = self.clock.now();
        let since = now.minus(WINDOW);
        let key = format!("invite {}", client.address);
        if let Some(retry_after) = self.pause_after(&key, FAILURES_PER_ADDRESS).await? {
            return Err(InviteError::TooMany { retry_after });
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

    /// Makes the user, and binds the session to them.
    pub async fn accept_invite(
        &self,
        session: &Session,
        token: &str,
        password: &NewPassword,
        client: &Client,
    ) -> Result<User, InviteError> {
        let (user, password_hash) = {
            let _turn = self.turn.lock().await;
            self.open_invite(token, client).await?;
            let (now, password_hash) = (self.clock.now(), password.hash().await);
            let id = UserId::generate(now);
            let accepted = self
                .store
                .accept_invite(&hash(token), &id, &password_hash, client.origin(), now)
                .await?;
            (accepted.ok_or(InviteError::NotOpen)?, password_hash)
        };
        match self.begin_session(session, &user, &password_hash, client).await {
            Ok(()) => Ok(user),
            Err(SignInError::Unavailable(error)) => Err(error.into()),
            // Disabled in this very moment.
            Err(SignInError::Wrong | SignInError::TooMany { .. }) => Err(InviteError::NotOpen),
        }
    }
}

fn generate() -> Zeroizing<String> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(random.as_mut_slice()).expect("the system's random numbers are available");
    Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()))
}

fn kept(token: &str, context: &AuditContext) -> InviteToken {
    InviteToken {
        hash: hash(token),
        expires_at: context.at.plus(VALID),
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
