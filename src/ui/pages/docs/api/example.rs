//! Builds an example JSON text for a schema from the examples of its parts.

use serde_json::Value;
use utoipa::openapi::{
    Array, OpenApi, RefOr, Schema,
    schema::{ArrayItems, SchemaType, Type},
};

use super::document::resolve;

/// Maximum depth of an example. Stops the recursion of a schema that contains itself.
const MAX_DEPTH: usize = 8;

pub fn example(api: &OpenApi, schema: &RefOr<Schema>) -> String {
    let mut text = String::new();
    write(api, resolve(api, schema), 0, &mut text);
    text
}

fn write(api: &OpenApi, schema: &Schema, depth: usize, text: &mut String) {
    if let Some(value) = known_value(schema) {
        let value = serde_json::to_string_pretty(value).unwrap_or_default();
        text.push_str(&value.replace('\n', &format!("\n{}", "  ".repeat(depth))));
        return;
    }
    let kind = match schema {
        Schema::Object(object) => first_type(&object.schema_type),
        _ => None,
    };
    match (schema, kind) {
        _ if depth > MAX_DEPTH => text.push_str("null"),
        (Schema::Array(array), _) => write_array(api, array, depth, text),
        (_, Some(Type::String)) => text.push_str("\"…\""),
        (_, Some(Type::Integer | Type::Number)) => text.push('0'),
        (_, Some(Type::Boolean)) => text.push_str("false"),
        (_, Some(Type::Null)) => text.push_str("null"),
        _ => write_object(api, schema, depth, text),
    }
}

/// Returns the first example, enumeration value or default of a schema.
fn known_value(schema: &Schema) -> Option<&Value> {
    let (examples, enum_values, default) = match schema {
        Schema::Object(object) => (&object.examples, object.enum_values.as_ref(), &object.default),
        Schema::Array(array) => (&array.examples, None, &array.default),
        _ => return None,
    };
    let enum_value = enum_values.and_then(|values| values.first());
    examples.first().or(enum_value).or(default.as_ref())
}

/// Returns the first type: `string` for `["string", "null"]`.
fn first_type(kind: &SchemaType) -> Option<&Type> {
    match kind {
        SchemaType::Type(kind) => Some(kind),
        SchemaType::Array(kinds) => kinds.first(),
        SchemaType::AnyValue => None,
    }
}

fn write_array(api: &OpenApi, array: &Array, depth: usize, text: &mut String) {
    text.push('[');
    if let ArrayItems::RefOrSchema(items) = &array.items {
        write(api, resolve(api, items), depth, text);
    }
    for (index, item) in array.prefix_items.iter().enumerate() {
        text.push_str(if index > 0 { ", " } else { "" });
        write(api, item, depth, text);
    }
    text.push(']');
}

fn write_object(api: &OpenApi, schema: &Schema, depth: usize, text: &mut String) {
    let fields = fields(api, schema);
    if fields.is_empty() {
        text.push_str("{}");
        return;
    }
    let (outer, inner) = ("  ".repeat(depth), "  ".repeat(depth + 1));
    text.push('{');
    for (index, (name, field, _)) in fields.into_iter().enumerate() {
        text.push_str(if index > 0 { ",\n" } else { "\n" });
        text.push_str(&format!("{inner}\"{name}\": "));
        write(api, resolve(api, field), depth + 1, text);
    }
    text.push_str(&format!("\n{outer}}}"));
}

/// Returns the fields of an object and of the objects that it is composed of, and whether each is required.
pub fn fields<'a>(api: &'a OpenApi, schema: &'a Schema) -> Vec<(&'a str, &'a RefOr<Schema>, bool)> {
    match schema {
        Schema::AllOf(all) => {
            let parts = all.items.iter();
            parts.flat_map(|part| fields(api, resolve(api, part))).collect()
        }
        Schema::Object(object) => {
            let own = object.properties.iter();
            own.map(|(name, field)| (name.as_str(), field, object.required.contains(name)))
                .collect()
        }
        _ => Vec::new(),
    }
}
