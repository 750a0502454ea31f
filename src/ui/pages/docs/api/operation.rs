//! The entries of operations and schemas.

use leptos::prelude::*;
use serde_json::Value;
use utoipa::{
    Number,
    openapi::{
        OpenApi, RefOr, Required, Response, Schema,
        path::{Operation, Parameter, ParameterIn},
        schema::{ArrayItems, SchemaType},
    },
};

use crate::ui::{
    components::{
        code::CodeBlock,
        prose::{Prose, inline},
    },
    pages::docs::api::{
        document::{
            as_object, description, enum_descriptions, first_schema, inline_item, json_string, non_null,
            resolve, schema_name, scope,
        },
        example::{example, fields},
    },
};

#[component]
pub fn OperationEntry<'a>(
    api: &'a OpenApi,
    method: &'static str,
    path: &'a str,
    operation: &'a Operation,
) -> impl IntoView + use<> {
    let id = operation.operation_id.clone().unwrap_or_default();
    let summary = operation.summary.clone().unwrap_or_default();
    let label_id = format!("{id}-title");
    let heading_id = label_id.clone();
    let scope = scope(operation).map_or_else(
        || view! { <p class="quiet">"No API key required."</p> }.into_any(),
        |scope| view! { <p class="quiet">"Scope "<code>{scope}</code></p> }.into_any(),
    );
    let rows = parameters(operation).map(|parameter| parameter_row(api, parameter));
    let rows = rows.collect_view();
    let parameters = (!rows.is_empty()).then(|| {
        view! { <h4>"Parameters"</h4><dl class="docs__fields">{rows}</dl> }
    });
    // Without an example: the curl command contains it.
    let request = body(operation).map(|schema| view! { <h4>"Body"</h4>{table(api, resolve(api, schema))} });
    let responses = operation.responses.responses.iter();
    let responses = responses.filter_map(|(status, response)| Some((status, inline_item(response)?)));
    let (successes, errors): (Vec<_>, Vec<_>) = responses.partition(|(status, _)| status.starts_with('2'));
    let rows = |responses: &[(&String, &Response)]| {
        let rows = responses.iter();
        let rows = rows.map(|(status, response)| response_row(api, &summary, status, response));
        rows.collect_view()
    };
    let successes = rows(&successes);
    let statuses: Vec<_> = errors.iter().map(|(status, _)| status.as_str()).collect();
    let problems = (!errors.is_empty()).then(|| {
        view! {
            <details>
                <summary>"Problems: "{statuses.join(", ")}</summary>
                <dl class="docs__fields">{rows(&errors)}</dl>
            </details>
        }
    });
    let curl = curl(api, method, path, operation);
    let label = format!("curl for {summary}");
    view! {
        <article class="card docs__call" id=id aria-labelledby=label_id>
            <h3 id=heading_id>{summary}</h3>
            <p class="docs__path"><strong>{method.to_uppercase()}</strong>" "<code>{path.to_owned()}</code></p>
            {scope}
            <Prose text=operation.description.clone().unwrap_or_default()/>
            {parameters}
            {request}
            <h4>"Responses"</h4>
            <dl class="docs__fields">{successes}</dl>
            {problems}
            <h4>"Example"</h4>
            <CodeBlock label text=curl/>
        </article>
    }
}

#[component]
pub fn SchemaEntry<'a>(api: &'a OpenApi, name: &'a str, schema: &'a RefOr<Schema>) -> impl IntoView + use<> {
    let label_id = format!("schema-{name}-title");
    let heading_id = label_id.clone();
    let label = format!("Example of {name}");
    view! {
        <article class="card docs__call" id=format!("schema-{name}") aria-labelledby=label_id>
            <h3 id=heading_id>{name.to_owned()}</h3>
            <Prose text=description(schema).unwrap_or_default().to_owned()/>
            {plain_kind(schema)}
            {table(api, resolve(api, schema))}
            <details>
                <summary>"Example"</summary>
                <CodeBlock label text=example(api, schema)/>
            </details>
        </article>
    }
}

/// Returns the type of a schema without fields; `None` for an object, whose fields are listed instead.
fn plain_kind(schema: &RefOr<Schema>) -> Option<AnyView> {
    let is_object = match schema {
        RefOr::T(Schema::AllOf(_)) => true,
        schema => as_object(schema).is_some_and(|object| !object.properties.is_empty()),
    };
    (!is_object).then(|| view! { <p class="docs__kind">{kind(schema)}</p> }.into_any())
}

fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    operation.parameters.iter().flatten().filter_map(inline_item)
}

fn body(operation: &Operation) -> Option<&RefOr<Schema>> {
    first_schema(inline_item(operation.request_body.as_ref()?)?.content.values())
}

fn parameter_row(api: &OpenApi, parameter: &Parameter) -> AnyView {
    let mut location = json_string(&parameter.parameter_in);
    if parameter.required == Required::True {
        location.push_str(", required");
    }
    let schema = parameter.schema.as_ref();
    let kind = schema.map(|schema| view! { {kind(schema)}{bounds(resolve(api, schema))} });
    view! {
        <div>
            <dt><code>{parameter.name.clone()}</code>" "<span class="quiet">{location}</span></dt>
            <dd>
                <p class="docs__kind">{kind}</p>
                <p>{inline(parameter.description.as_deref().unwrap_or_default())}</p>
            </dd>
        </div>
    }
    .into_any()
}

/// Renders the fields of an object, or `None` if it has no fields.
fn table(api: &OpenApi, schema: &Schema) -> Option<AnyView> {
    let fields = fields(api, schema);
    if fields.is_empty() {
        return None;
    }
    let rows = fields.into_iter().map(|(name, field, required)| {
        let bounds = match field {
            RefOr::Ref(reference) => default(reference.default.as_ref()),
            RefOr::T(field) => bounds(field),
        };
        let required = required.then(|| view! { " "<span class="quiet">"required"</span> });
        view! {
            <div>
                <dt><code>{name.to_owned()}</code>{required}</dt>
                <dd>
                    <p class="docs__kind">{kind(field)}{bounds}</p>
                    <p>{inline(description(field).unwrap_or_default())}</p>
                </dd>
            </div>
        }
    });
    let rows = rows.collect_view();
    Some(view! { <dl class="docs__fields">{rows}</dl> }.into_any())
}

fn response_row(api: &OpenApi, summary: &str, status: &str, response: &Response) -> AnyView {
    let schema = first_schema(response.content.values());
    let headers = response.headers.iter().map(|(name, header)| {
        let text = inline_item(header).and_then(|header| header.description.as_deref());
        view! { <p class="docs__kind"><code>{name.clone()}</code>": "{inline(text.unwrap_or_default())}</p> }
    });
    let headers = headers.collect_view();
    let example = schema.filter(|_| status.starts_with('2')).map(|schema| {
        let label = format!("Response {status} of {summary}");
        view! { <details><summary>"Example"</summary><CodeBlock label text=example(api, schema)/></details> }
    });
    view! {
        <div>
            <dt><code>{status.to_owned()}</code></dt>
            <dd>
                {schema.map(|schema| view! { <p class="docs__kind">{kind(schema)}</p> })}
                <p>{inline(&response.description)}</p>
                {headers}
                {example}
            </dd>
        </div>
    }
    .into_any()
}

/// Renders the type of a value: a link to its schema, or its JSON type with format or choices.
fn kind(schema: &RefOr<Schema>) -> AnyView {
    let value = non_null(schema);
    let or_null = (!std::ptr::eq(value, schema)).then_some(" or null");
    let object = match value {
        RefOr::Ref(reference) => {
            let name = schema_name(&reference.ref_location);
            let href = format!("#schema-{name}");
            return view! { <a href=href>{name.to_owned()}</a>{or_null} }.into_any();
        }
        RefOr::T(Schema::Array(array)) => match &array.items {
            ArrayItems::RefOrSchema(items) => return view! { "array of "{kind(items)}{or_null} }.into_any(),
            ArrayItems::False => return view! { "array"{or_null} }.into_any(),
        },
        RefOr::T(Schema::Object(object)) => object,
        RefOr::T(_) => return view! { "object"{or_null} }.into_any(),
    };
    if enum_descriptions(object).is_some() {
        return view! { "one of the "<a href="#problems">"problem types"</a> }.into_any();
    }
    if let Some(values) = &object.enum_values {
        let values: Vec<_> = values.iter().map(ToString::to_string).collect();
        return format!("one of {}", values.join(", ")).into_any();
    }
    let name = match &object.schema_type {
        SchemaType::Type(kind) => json_string(kind),
        SchemaType::Array(kinds) => kinds.iter().map(json_string).collect::<Vec<_>>().join(" or "),
        SchemaType::AnyValue => "object".to_owned(),
    };
    let format = object.format.as_ref().map(json_string);
    let format = format.filter(|format| !format.starts_with("int"));
    let format = format.map(|format| format!(" ({format})"));
    view! { {name}{format}{or_null} }.into_any()
}

/// Returns the limits and the default of a value: `, 1 to 100 characters`.
fn bounds(schema: &Schema) -> Option<String> {
    let text = |number: Option<usize>| number.map(|number| number.to_string());
    let range = |min: Option<String>, max: Option<String>, unit: &str| match (min, max) {
        (Some(min), Some(max)) => Some(format!(", {min} to {max}{unit}")),
        (Some(min), None) => Some(format!(", at least {min}{unit}")),
        (None, Some(max)) => Some(format!(", at most {max}{unit}")),
        (None, None) => None,
    };
    let parts = match schema {
        Schema::Object(object) => {
            let (min, max) = (
                object.minimum.as_ref().map(number),
                object.maximum.as_ref().map(number),
            );
            let min = min.filter(|min| min != "0" || max.is_some());
            [
                range(text(object.min_length), text(object.max_length), " characters"),
                range(min, max, ""),
                default(object.default.as_ref()),
            ]
        }
        Schema::Array(array) => [
            range(text(array.min_items), text(array.max_items), " entries"),
            default(array.default.as_ref()),
            None,
        ],
        _ => return None,
    };
    let parts: String = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then_some(parts)
}

fn default(value: Option<&Value>) -> Option<String> {
    value.map(|value| format!(", default {value}"))
}

fn number(number: &Number) -> String {
    match number {
        Number::Int(number) => number.to_string(),
        Number::UInt(number) => number.to_string(),
        Number::Float(number) => number.to_string(),
    }
}

fn curl(api: &OpenApi, method: &str, path: &str, operation: &Operation) -> String {
    let mut servers = api.servers.iter().flatten();
    let server = servers.next().map_or("", |server| &server.url);
    let mut url = format!("{server}{path}");
    let mut separator = '?';
    for parameter in parameters(operation) {
        let schema = parameter.schema.as_ref();
        let value = schema.map_or_else(String::new, |schema| example(api, schema));
        let value = value.trim_matches('"');
        match parameter.parameter_in {
            ParameterIn::Path => url = url.replace(&format!("{{{}}}", parameter.name), value),
            ParameterIn::Query if parameter.required == Required::True => {
                url.push_str(&format!("{separator}{}={value}", parameter.name));
                separator = '&';
            }
            _ => {}
        }
    }
    let mut command = String::from("curl -sS");
    if !matches!(method, "get" | "post") || (method == "post" && operation.request_body.is_none()) {
        command.push_str(&format!(" -X {}", method.to_uppercase()));
    }
    command.push_str(&format!(" '{url}'"));
    if scope(operation).is_some() {
        command.push_str(" \\\n  -H \"Authorization: Bearer $CALEIDA_API_KEY\"");
    }
    if let Some(schema) = body(operation) {
        command.push_str(&format!(
            " \\\n  -d '{}'",
            // A single quote within a single-quoted shell argument.
            example(api, schema).replace('\'', r"'\''")
        ));
    }
    command
}
