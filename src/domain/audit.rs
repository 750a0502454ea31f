//! Entries of the audit log: the action, its actor, subject and origin.

use std::{fmt, str::FromStr};

#[cfg(feature = "ssr")]
use serde_json::Value;
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{AuditId, Principal, Timestamp, event_cursor::InvalidCursor};
#[cfg(feature = "ssr")]
use super::{EndpointUrl, Transport, UrlVisibility};

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
    pub details: Option<AuditDetails>,
    pub at: Timestamp,
}

/// Details of an entry: a JSON object. The URLs in it are webhooks' URLs, so it can only be read with a visibility.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditDetails(String);

impl AuditDetails {
    pub fn new(json: String) -> Self {
        Self(json)
    }

    /// Returns the JSON as a caller sees it.
    #[cfg(feature = "ssr")]
    pub fn shown(&self, visibility: UrlVisibility) -> String {
        if visibility == UrlVisibility::Full {
            return self.0.clone();
        }
        match serde_json::from_str::<Value>(&self.0) {
            Ok(mut details) => {
                shorten_urls(&mut details);
                details.to_string()
            }
            Err(_) => "{}".to_owned(),
        }
    }
}

impl fmt::Debug for AuditDetails {
    /// Omits the details, because logs must not contain URLs of webhooks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditDetails").finish_non_exhaustive()
    }
}

/// Shortens the URLs in a JSON value. They are in fields named `url`.
#[cfg(feature = "ssr")]
fn shorten_urls(value: &mut Value) {
    let Value::Object(fields) = value else { return };
    for (name, field) in fields {
        match field {
            Value::String(text) if name == "url" => {
                *text = EndpointUrl::parse(text, Transport::HttpAllowed)
                    .map_or_else(|_| "…".to_owned(), |url| url.shown(UrlVisibility::Shortened));
            }
            field => shorten_urls(field),
        }
    }
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

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn urls_in_details_are_shortened() {
        let json = r#"{"after":{"name":"a","url":"https://example.com/hooks/x?y"},"before":{"url":"?"},"held":"drop"}"#;
        let details = AuditDetails::new(json.to_owned());
        assert_eq!(details.shown(UrlVisibility::Full), json);
        assert_eq!(
            details.shown(UrlVisibility::Shortened),
            r#"{"after":{"name":"a","url":"https://example.com/hooks/…?…"},"before":{"url":"…"},"held":"drop"}"#
        );
        assert!(!format!("{details:?}").contains("example"));
    }
}
