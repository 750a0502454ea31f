//! What was done, by whom, to what, from where.

use std::{fmt, str::FromStr};

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{AuditId, Principal, Timestamp, place::InvalidPlace};

/// What was done: `noun.verb`, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, IntoStaticStr, VariantArray)]
pub enum AuditAction {
    #[strum(serialize = "webhook.created")]
    WebhookCreated,
    #[strum(serialize = "webhook.updated")]
    WebhookUpdated,
    #[strum(serialize = "webhook.updated_with_secret")]
    WebhookUpdatedWithSecret,
    #[strum(serialize = "webhook.paused")]
    WebhookPaused,
    #[strum(serialize = "webhook.resumed")]
    WebhookResumed,
    #[strum(serialize = "webhook.deleted")]
    WebhookDeleted,
    #[strum(serialize = "webhook.disabled")]
    WebhookDisabled,
    #[strum(serialize = "webhook.tested")]
    WebhookTested,
    #[strum(serialize = "webhook.secret_revealed")]
    SecretRevealed,
    #[strum(serialize = "webhook.secret_rotated")]
    SecretRotated,
    #[strum(serialize = "webhook.secret_resealed")]
    SecretResealed,
    #[strum(serialize = "webhook.recovery_started")]
    RecoveryStarted,
    #[strum(serialize = "webhook.recovery_cancelled")]
    RecoveryCancelled,
    #[strum(serialize = "webhook.failing.50")]
    WebhookFailing50,
    #[strum(serialize = "webhook.failing.70")]
    WebhookFailing70,
    #[strum(serialize = "webhook.failing.90")]
    WebhookFailing90,
    #[strum(serialize = "delivery.resent")]
    DeliveryResent,
    #[strum(serialize = "api_key.created")]
    ApiKeyCreated,
    #[strum(serialize = "api_key.revoked")]
    ApiKeyRevoked,
    #[strum(serialize = "user.signed_in")]
    UserSignedIn,
    #[strum(serialize = "user.sign_in_refused")]
    SignInRefused,
    #[strum(serialize = "user.added")]
    UserAdded,
    #[strum(serialize = "user.invited")]
    UserInvited,
    #[strum(serialize = "user.joined")]
    UserJoined,
    #[strum(serialize = "user.role_changed")]
    RoleChanged,
    #[strum(serialize = "user.disabled")]
    UserDisabled,
    #[strum(serialize = "user.enabled")]
    UserEnabled,
    #[strum(serialize = "user.password_changed")]
    PasswordChanged,
    #[strum(serialize = "invite.renewed")]
    InviteRenewed,
    #[strum(serialize = "invite.revoked")]
    InviteRevoked,
    #[strum(serialize = "session.ended")]
    SessionEnded,
}

/// One line of the audit log, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub actor: Principal,
    /// The code of an [`AuditAction`]; also of one that only a newer version knows.
    pub action: String,
    /// An id, or what else there is to name it by.
    pub subject: String,
    /// What people call it now, or called it last.
    pub subject_name: Option<String>,
    /// An address, or `command line`. `None`: from inside.
    pub address: Option<String>,
    /// A JSON object, in which `before` and `after` are the fields that an edit has changed.
    pub details: Option<String>,
    pub at: Timestamp,
}

impl AuditEntry {
    pub fn place(&self) -> AuditPlace {
        AuditPlace {
            at: self.at,
            id: self.id.clone(),
        }
    }
}

/// Where an entry stands among those of its account. As a cursor it is written `1795428000000.aud_1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPlace {
    pub at: Timestamp,
    pub id: AuditId,
}

impl fmt::Display for AuditPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_millis(), self.id)
    }
}

impl FromStr for AuditPlace {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let (at, id) = text.split_once('.').ok_or(InvalidPlace)?;
        Ok(Self {
            at: Timestamp::from_millis(at.parse().map_err(|_| InvalidPlace)?),
            id: id.parse().map_err(|_| InvalidPlace)?,
        })
    }
}
