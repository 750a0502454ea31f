//! Accessors for the OpenAPI document that utoipa's types do not have.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{
    Components, Content, Object, OpenApi, RefOr, Schema,
    path::{Operation, PathItem},
    schema::{SchemaType, Type},
};

/// Returns the operations with this tag, with their methods and paths.
pub fn operations<'a>(
    api: &'a OpenApi,
    tag: &'a str,
) -> impl Iterator<Item = (&'static str, &'a str, &'a Operation)> {
    let operations = api.paths.paths.iter().flat_map(|(path, item)| {
        methods(item)
            .filter_map(move |(method, operation)| Some((method, path.as_str(), operation.as_ref()?)))
    });
    operations.filter(move |(_, _, operation)| operation.tags.iter().flatten().any(|name| name == tag))
}

fn methods(item: &PathItem) -> impl Iterator<Item = (&'static str, &Option<Operation>)> {
    [
        ("get", &item.get),
        ("put", &item.put),
        ("post", &item.post),
        ("delete", &item.delete),
        ("patch", &item.patch),
    ]
    .into_iter()
}

pub fn components(api: &OpenApi) -> &Components {
    api.components.as_ref().expect("the description has schemas")
}

/// Returns the problem types: the last part of the `type` URN and its description.
pub fn problems(api: &OpenApi) -> impl Iterator<Item = (&str, &str)> {
    let problem = components(api).schemas.get("Problem").and_then(as_object);
    let kinds = problem.and_then(|problem| as_object(problem.properties.get("type")?));
    let kinds = kinds.into_iter().flat_map(|kinds| {
        let uris = kinds.enum_values.iter().flatten();
        uris.zip(enum_descriptions(kinds).into_iter().flatten())
    });
    kinds.filter_map(|(uri, text)| Some((uri.as_str()?.rsplit(':').next()?, text.as_str()?)))
}

/// Returns the description of each value of an enumeration.
pub fn enum_descriptions(object: &Object) -> Option<&Vec<Value>> {
    object.extensions.as_ref()?.get("x-enum-descriptions")?.as_array()
}

/// Returns the API key scope that an operation requires.
pub fn scope(operation: &Operation) -> Option<String> {
    let requirements = serde_json::to_value(operation.security.as_ref()?).ok()?;
    Some(requirements.pointer("/0/bearer/0")?.as_str()?.to_owned())
}

/// Returns the item unless it is a reference. Only schemas are referenced in the document.
pub fn inline_item<T>(item: &RefOr<T>) -> Option<&T> {
    match item {
        RefOr::T(item) => Some(item),
        RefOr::Ref(_) => None,
    }
}

/// Returns the schema of the first content type.
pub fn first_schema<'a>(mut contents: impl Iterator<Item = &'a RefOr<Content>>) -> Option<&'a RefOr<Schema>> {
    inline_item(contents.next()?)?.schema.as_ref()
}

/// Resolves a reference to its schema. For a nullable schema, returns the non-null alternative.
pub fn resolve<'a>(api: &'a OpenApi, schema: &'a RefOr<Schema>) -> &'a Schema {
    match non_null(schema) {
        RefOr::T(schema) => schema,
        RefOr::Ref(reference) => {
            let named = components(api).schemas.get(schema_name(&reference.ref_location));
            named
                .and_then(inline_item)
                .expect("every reference resolves to a schema")
        }
    }
}

/// Returns the name of the referenced schema.
pub fn schema_name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Returns the non-null alternative of a nullable schema, and any other schema unchanged.
pub fn non_null(schema: &RefOr<Schema>) -> &RefOr<Schema> {
    let choices = match schema {
        RefOr::T(Schema::OneOf(choice)) => choice.items.as_slice(),
        _ => &[],
    };
    choices.iter().find(|schema| !is_null(schema)).unwrap_or(schema)
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    as_object(schema).is_some_and(|object| object.schema_type == SchemaType::Type(Type::Null))
}

pub fn as_object(schema: &RefOr<Schema>) -> Option<&Object> {
    match schema {
        RefOr::T(Schema::Object(object)) => Some(object),
        _ => None,
    }
}

pub fn description(schema: &RefOr<Schema>) -> Option<&str> {
    match schema {
        RefOr::Ref(reference) => Some(reference.description.as_str()),
        RefOr::T(Schema::Object(object)) => object.description.as_deref(),
        RefOr::T(Schema::Array(array)) => array.description.as_deref(),
        RefOr::T(Schema::OneOf(one)) => one.description.as_deref(),
        RefOr::T(Schema::AllOf(all)) => all.description.as_deref(),
        RefOr::T(_) => None,
    }
}

/// Returns the JSON string that a value serializes to, without quotes.
pub fn json_string(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
