//! What the page asks of an OpenAPI description, beyond the fields of utoipa's types.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{
    Components, Content, Object, OpenApi, RefOr, Schema,
    path::{Operation, PathItem},
    schema::{SchemaType, Type},
};

/// The calls under this tag, with their methods and paths.
pub fn calls<'a>(
    api: &'a OpenApi,
    tag: &'a str,
) -> impl Iterator<Item = (&'static str, &'a str, &'a Operation)> {
    let calls = api.paths.paths.iter().flat_map(|(path, item)| {
        methods(item).filter_map(move |(method, call)| Some((method, path.as_str(), call.as_ref()?)))
    });
    calls.filter(move |(_, _, call)| call.tags.iter().flatten().any(|at| at == tag))
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

/// The problems that calls can come to: the end of their `type`, and what to do.
pub fn problems(api: &OpenApi) -> impl Iterator<Item = (&str, &str)> {
    let problem = components(api).schemas.get("Problem").and_then(object);
    let kinds = problem.and_then(|problem| object(problem.properties.get("type")?));
    let kinds = kinds.into_iter().flat_map(|kinds| {
        let uris = kinds.enum_values.iter().flatten();
        uris.zip(meanings(kinds).into_iter().flatten())
    });
    kinds.filter_map(|(uri, text)| Some((uri.as_str()?.rsplit(':').next()?, text.as_str()?)))
}

/// What each word of an enumeration means.
pub fn meanings(object: &Object) -> Option<&Vec<Value>> {
    object.extensions.as_ref()?.get("x-enum-descriptions")?.as_array()
}

/// The scope that a call needs.
pub fn scope(call: &Operation) -> Option<String> {
    let requirements = serde_json::to_value(call.security.as_ref()?).ok()?;
    Some(requirements.pointer("/0/bearer/0")?.as_str()?.to_owned())
}

/// What stands here itself. References to other things than schemas are not used.
pub fn here<T>(item: &RefOr<T>) -> Option<&T> {
    match item {
        RefOr::T(item) => Some(item),
        RefOr::Ref(_) => None,
    }
}

/// The schema of the first kind of content.
pub fn schema_of<'a>(mut contents: impl Iterator<Item = &'a RefOr<Content>>) -> Option<&'a RefOr<Schema>> {
    here(contents.next()?)?.schema.as_ref()
}

/// The schema that a reference stands for, or itself; without `null`, if it may also be that.
pub fn resolve<'a>(api: &'a OpenApi, schema: &'a RefOr<Schema>) -> &'a Schema {
    match something(schema) {
        RefOr::T(schema) => schema,
        RefOr::Ref(reference) => {
            let named = components(api).schemas.get(name(&reference.ref_location));
            named.and_then(here).expect("every reference leads to a schema")
        }
    }
}

/// Of the schema that is referred to.
pub fn name(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

/// Without `null`, if it may also be that.
pub fn something(schema: &RefOr<Schema>) -> &RefOr<Schema> {
    let choices = match schema {
        RefOr::T(Schema::OneOf(choice)) => choice.items.as_slice(),
        _ => &[],
    };
    choices.iter().find(|schema| !is_null(schema)).unwrap_or(schema)
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    object(schema).is_some_and(|object| object.schema_type == SchemaType::Type(Type::Null))
}

pub fn object(schema: &RefOr<Schema>) -> Option<&Object> {
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

/// As it is written in JSON, without quotes.
pub fn word(value: impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
