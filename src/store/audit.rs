//! The append-only audit log.

use serde_json::{Value, json};

use crate::domain::{
    Actor, AuditAction, AuditCursor, AuditEntry, EventType, Principal, Timestamp, Webhook, WebhookSettings,
    custom_header::CustomHeaderName,
};

/// An entry to append to the audit log.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    pub actor: Actor,
    pub action: AuditAction,
    /// Id of the object that was changed, or its name if it has no id.
    pub subject: String,
    /// JSON object. Must not contain secrets.
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
    /// Start of the time range, inclusive.
    pub since: Option<Timestamp>,
    /// End of the time range, exclusive.
    pub until: Option<Timestamp>,
    /// Returns only entries older than this position.
    pub before: Option<AuditCursor>,
    pub limit: u32,
}

/// Values that the audit log can be filtered by: at most a hundred of each, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditChoices {
    pub actors: Vec<Principal>,
    pub actions: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct AuditPage {
    pub entries: Vec<AuditEntry>,
    /// Position of the next page, or `None` if no older entries can match.
    pub next: Option<AuditCursor>,
}

/// Returns the settings of a webhook as JSON. The filter is in words.
pub(super) fn settings_json(webhook: &Webhook) -> Value {
    let WebhookSettings {
        url,
        name,
        events,
        options,
    } = &webhook.settings;
    let mut settings = json!(options);
    settings["name"] = json!(name.as_str());
    settings["url"] = json!(url.full().as_str());
    settings["events"] = events.iter().map(EventType::as_str).collect();
    if let Some(filter) = &options.filter {
        settings["filter"] = json!(filter.to_string());
    }
    if !options.headers.is_empty() {
        settings["headers"] = options.headers.iter().map(CustomHeaderName::as_str).collect();
    }
    settings
}

/// Returns the fields that differ, as `{"before": …, "after": …}`. A field that one of them does not have is null.
pub(super) fn diff(mut before: Value, mut after: Value) -> Value {
    if let (Some(before), Some(after)) = (before.as_object_mut(), after.as_object_mut()) {
        before.retain(|field, value| {
            let changed = after.get(field) != Some(value);
            if !changed {
                after.remove(field);
            }
            changed
        });
        // A setting that one version does not have.
        for field in after.keys() {
            before.entry(field).or_insert(Value::Null);
        }
        for field in before.keys() {
            after.entry(field).or_insert(Value::Null);
        }
    }
    json!({ "before": before, "after": after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_has_only_changed_fields() {
        let before = json!({ "name": "a", "url": "https://example.com/", "rate_limit": 5 });
        let after = json!({ "name": "b", "url": "https://example.com/", "filter": "n exists" });
        assert_eq!(
            diff(before, after),
            json!({
                "before": { "name": "a", "rate_limit": 5, "filter": null },
                "after": { "name": "b", "rate_limit": null, "filter": "n exists" },
            })
        );
    }
}
