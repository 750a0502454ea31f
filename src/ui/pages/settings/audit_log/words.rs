//! What is written down for machines, as people say it.

use crate::domain::AuditAction;

/// `Webhook added`. What this version does not know is said in the words that there are: `user.renamed` is “User renamed”.
pub fn label(action: &str) -> String {
    let Ok(known) = action.parse() else {
        return spoken(action);
    };
    let text = match known {
        AuditAction::WebhookCreated => "Webhook added",
        AuditAction::WebhookUpdated => "Webhook edited",
        AuditAction::WebhookUpdatedWithSecret => "Webhook edited, with a new secret",
        AuditAction::WebhookPaused => "Webhook paused",
        AuditAction::WebhookResumed => "Webhook resumed",
        AuditAction::WebhookDeleted => "Webhook deleted",
        AuditAction::WebhookDisabled => "Webhook disabled",
        AuditAction::WebhookTested => "Test event sent",
        AuditAction::SecretRevealed => "Secret revealed",
        AuditAction::SecretRotated => "Secret rotated",
        AuditAction::SecretResealed => "Secret sealed with another master key",
        AuditAction::RecoveryStarted => "Recovery started",
        AuditAction::RecoveryCancelled => "Recovery stopped",
        AuditAction::WebhookFailing50 => "Webhook failing for half of the time allowed",
        AuditAction::WebhookFailing70 => "Webhook failing for 70 % of the time allowed",
        AuditAction::WebhookFailing90 => "Webhook failing for 90 % of the time allowed",
        AuditAction::DeliveryResent => "Delivery sent again",
        AuditAction::ApiKeyCreated => "API key added",
        AuditAction::ApiKeyRevoked => "API key revoked",
        AuditAction::UserSignedIn => "Signed in",
        AuditAction::SignInRefused => "Sign-in refused",
        AuditAction::UserAdded => "User added",
        AuditAction::UserInvited => "User invited",
        AuditAction::UserJoined => "Invite accepted",
        AuditAction::InviteRenewed => "Invite sent again",
        AuditAction::SessionEnded => "Session ended",
        AuditAction::RoleChanged => "User role changed",
        AuditAction::UserDisabled => "User disabled",
        AuditAction::UserEnabled => "User enabled",
        AuditAction::PasswordChanged => "Password changed",
        AuditAction::InviteRevoked => "Invite revoked",
    };
    text.to_owned()
}

/// `cancelled_deliveries` is “Cancelled deliveries”.
pub fn field(name: &str) -> String {
    match name {
        "url" => "URL".to_owned(),
        "expires_at" => "Expires".to_owned(),
        "previous_signs_until" => "The old one signs until".to_owned(),
        name => spoken(name),
    }
}

fn spoken(name: &str) -> String {
    let text = name.replace(['.', '_'], " ");
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_said_in_its_own_words() {
        assert_eq!(label("webhook.created"), "Webhook added");
        assert_eq!(label("user.role_changed"), "User role changed");
        assert_eq!(label(""), "");
        assert_eq!(field("url"), "URL");
        assert_eq!(field("cancelled_deliveries"), "Cancelled deliveries");
    }
}
