//! What is written down for machines, as people say it.

/// `Webhook added`. What this version does not know is said in the words that there are: `user.renamed` is “User renamed”.
pub fn label(action: &str) -> String {
    let known = match action {
        "webhook.created" => "Webhook added",
        "webhook.updated" => "Webhook edited",
        "webhook.updated_with_secret" => "Webhook edited, with a new secret",
        "webhook.paused" => "Webhook paused",
        "webhook.resumed" => "Webhook resumed",
        "webhook.deleted" => "Webhook deleted",
        "webhook.disabled" => "Webhook disabled",
        "webhook.tested" => "Test event sent",
        "webhook.secret_revealed" => "Secret revealed",
        "webhook.secret_rotated" => "Secret rotated",
        "webhook.secret_resealed" => "Secret sealed with another master key",
        "webhook.recovery_started" => "Recovery started",
        "webhook.recovery_cancelled" => "Recovery stopped",
        "webhook.failing.50" => "Webhook failing for half of the time allowed",
        "webhook.failing.70" => "Webhook failing for 70 % of the time allowed",
        "webhook.failing.90" => "Webhook failing for 90 % of the time allowed",
        "delivery.resent" => "Delivery sent again",
        "api_key.created" => "API key added",
        "api_key.revoked" => "API key revoked",
        "user.signed_in" => "Signed in",
        "user.sign_in_refused" => "Sign-in refused",
        "user.added" => "User added",
        "user.invited" => "User invited",
        "user.joined" => "Invite accepted",
        "invite.renewed" => "Invite sent again",
        "session.ended" => "Session ended",
        _ => return spoken(action),
    };
    known.to_owned()
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
