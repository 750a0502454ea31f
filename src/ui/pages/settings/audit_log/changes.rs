//! What an entry says besides: what was there before, and what is there after.

use leptos::prelude::*;
use serde_json::{Map, Value};

use crate::{
    domain::Timestamp,
    ui::{components::time_ago::exact, pages::settings::audit_log::words::field, request::zone::use_zone},
};

/// A cell that opens, or nothing if there is nothing to tell.
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

/// In which order people look for them; the others follow.
const FIRST: [&str; 7] = ["name", "email", "url", "events", "prefix", "scopes", "expires_at"];

/// The fields of what was written down; none if it is not what was to be written.
fn changes(details: &str) -> Vec<Change> {
    let Ok(Value::Object(mut details)) = serde_json::from_str(details) else {
        return Vec::new();
    };
    let mut before = object(details.remove("before"));
    let mut after = object(details.remove("after"));
    let mut changes = Vec::new();
    let mut names: Vec<_> = before.keys().chain(after.keys()).cloned().collect();
    names.sort_by_key(|name| {
        FIRST
            .iter()
            .position(|first| first == name)
            .unwrap_or(FIRST.len())
    });
    for name in names {
        let (was, is) = (before.remove(&name), after.remove(&name));
        if was.is_some() || is.is_some() {
            changes.push(Change {
                field: field(&name),
                before: was.map(|was| value(&name, was)),
                after: is.map(|is| value(&name, is)),
            });
        }
    }
    changes.extend(details.into_iter().map(|(name, value)| Change {
        field: field(&name),
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
        // Moments are written down as RFC 3339 has them.
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
    fn a_field_stands_with_what_it_was_and_what_it_is() {
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
        let made = r#"{"after":{"expires_at":null},"since":"2026-11-23T10:00:03.000Z"}"#;
        assert_eq!(
            changes(made),
            [
                change("Expires", None, Some("Never")),
                change("Since", None, Some("23 Nov 2026, 10:00:03 UTC")),
            ]
        );
        for nothing in ["", "[]", "{", "{}"] {
            assert_eq!(changes(nothing), [], "{nothing}");
        }
    }
}
