//! A JSON text of a schema’s form, from the examples of its parts.

use serde_json::Value;

use crate::ui::pages::docs::api::document::{Document, Schema};

/// No schema here is deeper; one that held itself would be endless.
const DEEPEST: usize = 8;

pub fn example(document: &Document, schema: &Schema) -> String {
    let mut text = String::new();
    write(document, schema, 0, &mut text);
    text
}

fn write(document: &Document, schema: &Schema, depth: usize, text: &mut String) {
    let schema = document.resolve(schema.something());
    let given = schema
        .examples
        .first()
        .or(schema.words.first())
        .or(schema.default.as_ref());
    if let Some(value) = given {
        let value = serde_json::to_string_pretty(value).unwrap_or_default();
        text.push_str(&value.replace('\n', &format!("\n{}", "  ".repeat(depth))));
        return;
    }
    let kind = schema.kind.as_ref().map(first_kind);
    match kind {
        _ if depth > DEEPEST => text.push_str("null"),
        Some("array") => write_array(document, schema, depth, text),
        Some("string") => text.push_str("\"…\""),
        Some("integer" | "number") => text.push('0'),
        Some("boolean") => text.push_str("false"),
        Some("null") => text.push_str("null"),
        _ => write_object(document, schema, depth, text),
    }
}

/// Of `["string", "null"]` the string.
fn first_kind(kind: &Value) -> &str {
    match kind {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str).unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    }
}

fn write_array(document: &Document, schema: &Schema, depth: usize, text: &mut String) {
    text.push('[');
    if let Some(items) = &schema.items {
        write(document, items, depth, text);
    }
    for (index, item) in schema.prefix_items.iter().enumerate() {
        text.push_str(if index > 0 { ", " } else { "" });
        write(document, item, depth, text);
    }
    text.push(']');
}

fn write_object(document: &Document, schema: &Schema, depth: usize, text: &mut String) {
    let fields = fields(document, schema);
    if fields.is_empty() {
        text.push_str("{}");
        return;
    }
    let (outer, inner) = ("  ".repeat(depth), "  ".repeat(depth + 1));
    text.push('{');
    for (index, (name, field, _)) in fields.into_iter().enumerate() {
        text.push_str(if index > 0 { ",\n" } else { "\n" });
        text.push_str(&format!("{inner}\"{name}\": "));
        write(document, field, depth + 1, text);
    }
    text.push_str(&format!("\n{outer}}}"));
}

/// An object’s fields, with those of the objects that it consists of, and whether they are required.
pub fn fields<'a>(document: &'a Document, schema: &'a Schema) -> Vec<(&'a str, &'a Schema, bool)> {
    let schema = document.resolve(schema);
    let parts = schema.all_of.iter().flat_map(|part| fields(document, part));
    let own = schema.properties.0.iter().map(|(name, field)| {
        let required = schema.required.contains(name);
        (name.as_str(), field, required)
    });
    parts.chain(own).collect()
}
