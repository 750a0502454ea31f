//! Who did what to what, when, and from where. Only ever appended to.

use serde_json::{Value, json};

use crate::domain::{Actor, AuditAction, AuditEntry, AuditPlace, EventType, Principal, Timestamp, Webhook};

/// Something that was done, to be written down.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    pub actor: Actor,
    pub action: AuditAction,
    /// The id of what it was done to, or a name if it has none.
    pub subject: String,
    /// A JSON object. Never with a secret in it.
    pub details: Option<Value>,
    pub at: Timestamp,
}

impl AuditEvent {
    pub fn new(actor: &Actor, action: AuditAction, subject: impl Into<String>, at: Timestamp) -> Self {
        Self {
            actor: actor.clone(),
            action,
            subject: subject.into(),
            details: None,
            at,
        }
    }

    #[must_use]
    pub fn with(self, details: Value) -> Self {
        Self {
            details: Some(details),
            ..self
        }
    }
}

#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub actor: Option<Principal>,
    pub action: Option<String>,
    pub subject: Option<String>,
    /// Then or later.
    pub since: Option<Timestamp>,
    /// Earlier.
    pub until: Option<Timestamp>,
    /// Only what is older than this one.
    pub before: Option<AuditPlace>,
    pub limit: u32,
}

/// A hundred of each at most, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditChoices {
    pub actors: Vec<Principal>,
    pub actions: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Where to go on. `None`: nothing older can match.
    pub next: Option<AuditPlace>,
}

/// What a save may change of a webhook.
pub(super) fn settings_of(webhook: &Webhook) -> Value {
    json!({
        "name": webhook.name.as_str(),
        "url": webhook.url.as_str(),
        "events": webhook.events.iter().map(EventType::as_str).collect::<Vec<_>>(),
    })
}

/// The fields that are not the same in both.
pub(super) fn difference(mut before: Value, mut after: Value) -> Value {
    if let (Some(before), Some(after)) = (before.as_object_mut(), after.as_object_mut()) {
        before.retain(|field, was| {
            let changed = after.get(field) != Some(was);
            if !changed {
                after.remove(field);
            }
            changed
        });
    }
    json!({ "before": before, "after": after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_edit_has_changed_is_written_down() {
        let before = json!({ "name": "a", "url": "https://example.com/", "events": ["chat"] });
        let after = json!({ "name": "b", "url": "https://example.com/", "events": ["chat", "message"] });
        assert_eq!(
            difference(before, after),
            json!({
                "before": { "name": "a", "events": ["chat"] },
                "after": { "name": "b", "events": ["chat", "message"] },
            })
        );
    }
}
