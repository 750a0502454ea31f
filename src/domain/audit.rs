//! Entries of the audit log: the action, its actor, subject and origin.

use std::{fmt, str::FromStr};

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{AuditId, Principal, Timestamp, event_cursor::InvalidCursor};

/// Audited action, stored as a code of the form `noun.verb`.
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
    #[strum(serialize = "webhook.failing.10")]
    WebhookFailing10,
    #[strum(serialize = "webhook.failing.50")]
    WebhookFailing50,
    #[strum(serialize = "webhook.failing.90")]
    WebhookFailing90,
    #[strum(serialize = "event.expired")]
    EventsExpired,
    #[strum(serialize = "delivery.resent")]
    DeliveryResent,
    #[strum(serialize = "api_key.created")]
    ApiKeyCreated,
    #[strum(serialize = "api_key.revoked")]
    ApiKeyRevoked,
    #[strum(serialize = "user.signed_in")]
    UserSignedIn,
    #[strum(serialize = "user.signed_out")]
    UserSignedOut,
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

/// Entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: AuditId,
    pub actor: Principal,
    /// Code of an [`AuditAction`], or of one that only a newer version defines.
    pub action: String,
    /// Id of the subject, or another identifier if it has no id.
    pub subject: String,
    /// Current or last name of the subject.
    pub subject_name: Option<String>,
    /// IP address or `command line`. `None` for actions of Caleida itself.
    pub address: Option<String>,
    /// JSON object. For an edit, `before` and `after` contain the changed fields.
    pub details: Option<String>,
    pub at: Timestamp,
}

impl AuditEntry {
    pub fn cursor(&self) -> AuditCursor {
        AuditCursor {
            at: self.at,
            id: self.id.clone(),
        }
    }
}

/// Position in the audit log of an account, written as `1795428000000.aud_1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditCursor {
    pub at: Timestamp,
    pub id: AuditId,
}

impl fmt::Display for AuditCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.as_millis(), self.id)
    }
}

impl FromStr for AuditCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (at, id) = text.split_once('.').ok_or(InvalidCursor)?;
        Ok(Self {
            at: Timestamp::from_millis(at.parse().map_err(|_| InvalidCursor)?),
            id: id.parse().map_err(|_| InvalidCursor)?,
        })
    }
}
