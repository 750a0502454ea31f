//! The details of an entry: the fields before and after the change.

use leptos::prelude::*;
use serde_json::{Map, Value};

use crate::{
    domain::Timestamp,
    ui::{
        components::time_ago::exact, pages::settings::audit_log::labels::field_label, request::zone::use_zone,
    },
};

/// An expandable cell with the details. Empty if there are none.
#[component]
pub fn Changes(details: Option<String>) -> impl IntoView {
    let changes = details.map(|details| changes(&details)).unwrap_or_default();
    (!changes.is_empty()).then(|| {
        let rows = changes.into_iter().map(|change| view! { <ChangeRow change/> });
        view! {
            <td role="cell" class="audit__changes">
                <details>
                    <summary>"Details"</summary>
                    <dl class="changes">{rows.collect_view()}</dl>
                </details>
            </td>
        }
    })
}

#[component]
fn ChangeRow(change: Change) -> impl IntoView {
    let values = match (change.before, change.after) {
        (Some(before), Some(after)) => view! {
            <dd><span class="changes__when">"Before"</span><span class="changes__was">{before}</span></dd>
            <dd><span class="changes__when">"After"</span><span>{after}</span></dd>
        }
        .into_any(),
        (before, after) => view! { <dd>{before.or(after)}</dd> }.into_any(),
    };
    view! { <div class="changes__field"><dt>{change.field}</dt>{values}</div> }
}

#[derive(Debug, PartialEq, Eq)]
struct Change {
    field: String,
    before: Option<String>,
    after: Option<String>,
}

/// The fields that come first, in this order.
const FIELD_ORDER: [&str; 13] = [
    "name",
    "email",
    "url",
    "events",
    "description",
    "headers",
    "filter",
    "rate_limit",
    "timeout_seconds",
    "retries",
    "prefix",
    "scopes",
    "expires_at",
];

/// Parses recorded details. Returns no changes if they are not a JSON object.
fn changes(details: &str) -> Vec<Change> {
    let Ok(Value::Object(mut details)) = serde_json::from_str(details) else {
        return Vec::new();
    };
    let mut before = object(details.remove("before"));
    let mut after = object(details.remove("after"));
    let mut changes = Vec::new();
    let mut names: Vec<_> = before.keys().chain(after.keys()).cloned().collect();
    names.sort_by_key(|name| {
        FIELD_ORDER
            .iter()
            .position(|first| first == name)
            .unwrap_or(FIELD_ORDER.len())
    });
    for name in names {
        let (old, new) = (before.remove(&name), after.remove(&name));
        if old.is_some() || new.is_some() {
            changes.push(Change {
                field: field_label(&name),
                before: old.map(|old| value(&name, old)),
                after: new.map(|new| value(&name, new)),
            });
        }
    }
    changes.extend(details.into_iter().map(|(name, value)| Change {
        field: field_label(&name),
        before: None,
        after: Some(text(value)),
    }));
    changes
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

fn value(name: &str, value: Value) -> String {
    match (name, value) {
        ("expires_at", Value::Null) => "Never".to_owned(),
        (_, value) => text(value),
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        // Times are recorded in RFC 3339.
        Value::String(text) => Timestamp::parse_rfc3339(&text).map_or(text, |at| exact(at, &use_zone())),
        Value::Array(values) => {
            let texts: Vec<_> = values.into_iter().map(text).collect();
            texts.join(", ")
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_values_before_and_after_by_field() {
        let details = r#"{"before":{"events":["chat"],"name":"a"},"after":{"events":["chat","message"],"name":"b"},"held":"send"}"#;
        let change = |field: &str, before: Option<&str>, after: Option<&str>| Change {
            field: field.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(
            changes(details),
            [
                change("Name", Some("a"), Some("b")),
                change("Events", Some("chat"), Some("chat, message")),
                change("Held", None, Some("send")),
            ]
        );
        let created = r#"{"after":{"expires_at":null},"since":"2026-11-23T10:00:03.000Z"}"#;
        assert_eq!(
            changes(created),
            [
                change("Expires", None, Some("Never")),
                change("Since", None, Some("23 Nov 2026, 10:00:03 UTC")),
            ]
        );
        for details in ["", "[]", "{", "{}"] {
            assert_eq!(changes(details), [], "{details}");
        }
    }
}
