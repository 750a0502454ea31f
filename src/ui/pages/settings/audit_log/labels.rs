//! Labels for the recorded actions and field names.

use crate::domain::AuditAction;

/// Returns the label of an action, such as “Webhook added”. For an unknown action, it is derived from the name:
/// `user.renamed` becomes “User renamed”.
pub fn action_label(action: &str) -> String {
    let Ok(known) = action.parse() else {
        return humanize(action);
    };
    let text = match known {
        AuditAction::WebhookCreated => "Webhook added",
        AuditAction::WebhookUpdated => "Webhook edited",
        AuditAction::WebhookUpdatedWithSecret => "Webhook edited with a new secret",
        AuditAction::WebhookPaused => "Webhook paused",
        AuditAction::WebhookResumed => "Webhook resumed",
        AuditAction::WebhookDeleted => "Webhook deleted",
        AuditAction::WebhookDisabled => "Webhook disabled",
        AuditAction::WebhookTested => "Test event sent",
        AuditAction::SecretRevealed => "Secret revealed",
        AuditAction::SecretRotated => "Secret rotated",
        AuditAction::SecretResealed => "Secret re-encrypted with a new master key",
        AuditAction::RecoveryStarted => "Recovery started",
        AuditAction::RecoveryCancelled => "Recovery cancelled",
        AuditAction::WebhookFailing10 => "Webhook failing: 10 % of the way to being disabled",
        AuditAction::WebhookFailing50 => "Webhook failing: 50 % of the way to being disabled",
        AuditAction::WebhookFailing90 => "Webhook failing: 90 % of the way to being disabled",
        AuditAction::EventsExpired => "Expired events deleted",
        AuditAction::DeliveryResent => "Delivery resent",
        AuditAction::ApiKeyCreated => "API key added",
        AuditAction::ApiKeyRevoked => "API key revoked",
        AuditAction::UserSignedIn => "Signed in",
        AuditAction::UserSignedOut => "Signed out",
        AuditAction::SignInRefused => "Sign-in failed",
        AuditAction::UserAdded => "User added",
        AuditAction::UserInvited => "User invited",
        AuditAction::UserJoined => "Invite accepted",
        AuditAction::InviteRenewed => "Invite renewed",
        AuditAction::SessionEnded => "Session ended",
        AuditAction::RoleChanged => "User role changed",
        AuditAction::UserDisabled => "User disabled",
        AuditAction::UserEnabled => "User enabled",
        AuditAction::PasswordChanged => "Password changed",
        AuditAction::InviteRevoked => "Invite revoked",
    };
    text.to_owned()
}

/// Returns the label of a field: `cancelled_deliveries` becomes “Cancelled deliveries”.
pub fn field_label(name: &str) -> String {
    match name {
        "url" => "URL".to_owned(),
        "rate_limit" => "Rate limit (calls per second)".to_owned(),
        "timeout_seconds" => "Timeout (seconds)".to_owned(),
        "replaced_headers" => "New values of headers".to_owned(),
        "expires_at" => "Expires".to_owned(),
        "previous_signs_until" => "Previous secret signs until".to_owned(),
        name => humanize(name),
    }
}

fn humanize(name: &str) -> String {
    let text = name.replace(['.', '_'], " ");
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_humanized() {
        assert_eq!(action_label("webhook.created"), "Webhook added");
        assert_eq!(action_label("user.role_changed"), "User role changed");
        assert_eq!(action_label(""), "");
        assert_eq!(field_label("url"), "URL");
        assert_eq!(field_label("cancelled_deliveries"), "Cancelled deliveries");
    }
}
