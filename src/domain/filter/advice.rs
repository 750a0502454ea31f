//! Warnings about filters that may exclude all events.

use std::{collections::BTreeSet, fmt, sync::LazyLock};

use serde_json::Value;

use super::{FieldPath, Filter, Item};
use crate::domain::{EventType, EventTypes};
use strum::VariantArray as _;

/// A reason why a filter may not do what its author wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// The conditions contradict each other.
    NeverMatches,
    /// No subscribed event type has this field.
    UnknownField(FieldPath),
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverMatches => {
                f.write_str("No event can match this filter: its conditions contradict each other.")
            }
            Self::UnknownField(field) => write!(f, "The chosen events have no field {field}."),
        }
    }
}

impl Filter {
    /// Returns warnings for a webhook that is subscribed to these event types.
    pub fn advise(&self, types: &EventTypes) -> Vec<Advice> {
        let contradiction = self.is_contradiction().then_some(Advice::NeverMatches);
        let conditions = self.items.iter().flat_map(|item| match item {
            Item::Condition(condition) => std::slice::from_ref(condition),
            Item::Group(_, list) => list,
        });
        let fields: BTreeSet<_> = conditions.map(|condition| &condition.field).collect();
        let is_unknown = |field: &&FieldPath| !types.iter().any(|event_type| has_field(event_type, field));
        let unknown = fields.into_iter().filter(is_unknown).cloned();
        contradiction
            .into_iter()
            .chain(unknown.map(Advice::UnknownField))
            .collect()
    }
}

/// Returns the fields of these event types, to choose from.
pub fn known_fields(types: impl IntoIterator<Item = EventType>) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for event_type in types {
        collect(data_schema(event_type), "", &mut fields);
    }
    fields
}

/// Returns the JSON Schema of the data of an event.
fn data_schema(event_type: EventType) -> &'static Value {
    static SCHEMAS: LazyLock<Vec<Value>> = LazyLock::new(|| {
        let parse = |event_type: &EventType| {
            let mut schema: Value = serde_json::from_str(event_type.schema()).unwrap_or_default();
            schema["properties"]["data"].take()
        };
        EventType::VARIANTS.iter().map(parse).collect()
    });
    let index = EventType::VARIANTS.iter().position(|other| *other == event_type);
    &SCHEMAS[index.unwrap_or_default()]
}

fn has_field(event_type: EventType, path: &FieldPath) -> bool {
    let mut schema = data_schema(event_type);
    path.segments().all(|name| {
        let property = schema
            .get("properties")
            .and_then(|properties| properties.get(name));
        let element = || {
            let is_index = name.bytes().all(|byte| byte.is_ascii_digit());
            schema.get("items").filter(|_| is_index)
        };
        match property.or_else(element) {
            Some(inner) => {
                schema = inner;
                true
            }
            None => false,
        }
    })
}

/// Adds the paths of all fields that are neither objects nor in arrays.
fn collect(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
    match schema.get("properties").and_then(Value::as_object) {
        Some(properties) => {
            for (name, inner) in properties {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect(inner, &path, fields);
            }
        }
        None => drop(fields.insert(path.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advise(json: &str, types: &[&str]) -> Vec<String> {
        let types = EventTypes::parse(types.iter().copied()).unwrap();
        let advice = Filter::parse_text(json).unwrap().advise(&types);
        advice.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn unknown_fields_are_named() {
        let filter = |field: &str| format!(r#"{{"all":[{{"field":"{field}","op":"exists"}}]}}"#);
        for (field, types, is_known) in [
            ("sentiment", &["insight.sentiment"][..], true),
            ("topics", &["insight.topic"], true),
            ("topics.0.name", &["insight.topic"], true),
            ("topics.name", &["insight.topic"], false),
            ("topics.0.names", &["insight.topic"], false),
            ("topics", &["chat"], false),
            ("topics", &["chat", "insight.topic"], true),
            ("insight_id.x", &["insight.topic"], false),
            ("data.topics", &["insight.topic"], false),
        ] {
            let advice = advise(&filter(field), types);
            assert_eq!(advice.is_empty(), is_known, "{field}, {types:?}: {advice:?}");
        }
    }

    #[test]
    fn contradictions_are_reported() {
        let json = r#"{"all":[{"field":"chat_id","op":"eq","value":"a"},{"field":"chat_id","op":"eq","value":"b"}]}"#;
        let expected = "No event can match this filter: its conditions contradict each other.";
        assert_eq!(advise(json, &["message"]), [expected]);
    }

    #[test]
    fn every_event_type_has_known_fields() {
        for &event_type in EventType::VARIANTS {
            let fields = known_fields([event_type]);
            assert!(fields.len() >= 2, "{event_type}: {fields:?}");
            let types = EventTypes::parse([event_type.as_str()]).unwrap();
            for field in fields {
                let filter = format!(r#"{{"all":[{{"field":"{field}","op":"exists"}}]}}"#);
                let filter = Filter::parse_text(&filter).unwrap();
                assert_eq!(filter.advise(&types), [], "{field}");
            }
        }
    }
}
