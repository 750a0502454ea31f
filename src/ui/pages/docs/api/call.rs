//! One call, or one schema.

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
        document::{description, here, meanings, name, object, resolve, schema_of, scope, something, word},
        example::{example, fields},
    },
};

#[component]
pub fn CallEntry<'a>(
    api: &'a OpenApi,
    method: &'static str,
    path: &'a str,
    call: &'a Operation,
) -> impl IntoView + use<> {
    let id = call.operation_id.clone().unwrap_or_default();
    let summary = call.summary.clone().unwrap_or_default();
    let heading = format!("{id}-title");
    let place = heading.clone();
    let scope = scope(call).map_or_else(
        || view! { <p class="quiet">"Needs no key."</p> }.into_any(),
        |scope| view! { <p class="quiet">"Scope "<code>{scope}</code></p> }.into_any(),
    );
    let rows = parameters(call).map(|parameter| parameter_row(api, parameter));
    let rows = rows.collect_view();
    let parameters = (!rows.is_empty()).then(|| {
        view! { <h4>"Parameters"</h4><dl class="docs__fields">{rows}</dl> }
    });
    // Its example is that of curl.
    let request = body(call).map(|schema| view! { <h4>"Body"</h4>{table(api, resolve(api, schema))} });
    let answers = call.responses.responses.iter();
    let answers = answers.filter_map(|(status, answer)| Some((status, here(answer)?)));
    let (good, bad): (Vec<_>, Vec<_>) = answers.partition(|(status, _)| status.starts_with('2'));
    let rows = |answers: &[(&String, &Response)]| {
        let rows = answers.iter();
        let rows = rows.map(|(status, answer)| answer_row(api, &summary, status, answer));
        rows.collect_view()
    };
    let good = rows(&good);
    let statuses: Vec<_> = bad.iter().map(|(status, _)| status.as_str()).collect();
    let problems = (!bad.is_empty()).then(|| {
        view! {
            <details>
                <summary>"Problems: "{statuses.join(", ")}</summary>
                <dl class="docs__fields">{rows(&bad)}</dl>
            </details>
        }
    });
    let curl = curl(api, method, path, call);
    let label = format!("curl for {summary}");
    view! {
        <article class="card docs__call" id=id aria-labelledby=heading>
            <h3 id=place>{summary}</h3>
            <p class="docs__path"><strong>{method.to_uppercase()}</strong>" "<code>{path.to_owned()}</code></p>
            {scope}
            <Prose text=call.description.clone().unwrap_or_default()/>
            {parameters}
            {request}
            <h4>"Answers"</h4>
            <dl class="docs__fields">{good}</dl>
            {problems}
            <h4>"With curl"</h4>
            <CodeBlock label text=curl/>
        </article>
    }
}

#[component]
pub fn SchemaEntry<'a>(api: &'a OpenApi, name: &'a str, schema: &'a RefOr<Schema>) -> impl IntoView + use<> {
    let heading = format!("schema-{name}-title");
    let place = heading.clone();
    let label = format!("Example of {name}");
    view! {
        <article class="card docs__call" id=format!("schema-{name}") aria-labelledby=heading>
            <h3 id=place>{name.to_owned()}</h3>
            <Prose text=description(schema).unwrap_or_default().to_owned()/>
            {kind_of_plain(schema)}
            {table(api, resolve(api, schema))}
            <details>
                <summary>"Example"</summary>
                <CodeBlock label text=example(api, schema)/>
            </details>
        </article>
    }
}

fn kind_of_plain(schema: &RefOr<Schema>) -> Option<AnyView> {
    let is_object = match schema {
        RefOr::T(Schema::AllOf(_)) => true,
        schema => object(schema).is_some_and(|object| !object.properties.is_empty()),
    };
    (!is_object).then(|| view! { <p class="docs__kind">{kind(schema)}</p> }.into_any())
}

fn parameters(call: &Operation) -> impl Iterator<Item = &Parameter> {
    call.parameters.iter().flatten().filter_map(here)
}

fn body(call: &Operation) -> Option<&RefOr<Schema>> {
    schema_of(here(call.request_body.as_ref()?)?.content.values())
}

fn parameter_row(api: &OpenApi, parameter: &Parameter) -> AnyView {
    let mut place = word(&parameter.parameter_in);
    if parameter.required == Required::True {
        place.push_str(", required");
    }
    let schema = parameter.schema.as_ref();
    let kind = schema.map(|schema| view! { {kind(schema)}{bounds(resolve(api, schema))} });
    view! {
        <div>
            <dt><code>{parameter.name.clone()}</code>" "<span class="quiet">{place}</span></dt>
            <dd>
                <p class="docs__kind">{kind}</p>
                <p>{inline(parameter.description.as_deref().unwrap_or_default())}</p>
            </dd>
        </div>
    }
    .into_any()
}

/// The fields of an object; nothing if it has none of its own.
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

fn answer_row(api: &OpenApi, summary: &str, status: &str, answer: &Response) -> AnyView {
    let schema = schema_of(answer.content.values());
    let headers = answer.headers.iter().map(|(name, header)| {
        let text = here(header).and_then(|header| header.description.as_deref());
        view! { <p class="docs__kind"><code>{name.clone()}</code>": "{inline(text.unwrap_or_default())}</p> }
    });
    let headers = headers.collect_view();
    let shown = schema.filter(|_| status.starts_with('2')).map(|schema| {
        let label = format!("Answer {status} of {summary}");
        view! { <details><summary>"Example"</summary><CodeBlock label text=example(api, schema)/></details> }
    });
    view! {
        <div>
            <dt><code>{status.to_owned()}</code></dt>
            <dd>
                {schema.map(|schema| view! { <p class="docs__kind">{kind(schema)}</p> })}
                <p>{inline(&answer.description)}</p>
                {headers}
                {shown}
            </dd>
        </div>
    }
    .into_any()
}

/// What a value is: a link to its schema, or its JSON type and what narrows it.
fn kind(schema: &RefOr<Schema>) -> AnyView {
    let value = something(schema);
    let or_null = (!std::ptr::eq(value, schema)).then_some(" or null");
    let object = match value {
        RefOr::Ref(reference) => {
            let name = name(&reference.ref_location);
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
    if meanings(object).is_some() {
        return view! { "one of the "<a href="#problems">"problems"</a> }.into_any();
    }
    if let Some(words) = &object.enum_values {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        return format!("one of {}", words.join(", ")).into_any();
    }
    let name = match &object.schema_type {
        SchemaType::Type(kind) => word(kind),
        SchemaType::Array(kinds) => kinds.iter().map(word).collect::<Vec<_>>().join(" or "),
        SchemaType::AnyValue => "object".to_owned(),
    };
    let format = object.format.as_ref().map(word);
    let format = format.filter(|format| !format.starts_with("int"));
    let format = format.map(|format| format!(" ({format})"));
    view! { {name}{format}{or_null} }.into_any()
}

/// `, 1 to 100 characters`
fn bounds(schema: &Schema) -> Option<String> {
    let text = |number: Option<usize>| number.map(|number| number.to_string());
    let range = |low: Option<String>, high: Option<String>, what: &str| match (low, high) {
        (Some(low), Some(high)) => Some(format!(", {low} to {high}{what}")),
        (Some(low), None) => Some(format!(", at least {low}{what}")),
        (None, Some(high)) => Some(format!(", at most {high}{what}")),
        (None, None) => None,
    };
    let parts = match schema {
        Schema::Object(object) => {
            let (least, most) = (
                object.minimum.as_ref().map(number),
                object.maximum.as_ref().map(number),
            );
            let least = least.filter(|least| least != "0" || most.is_some());
            [
                range(text(object.min_length), text(object.max_length), " characters"),
                range(least, most, ""),
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
    value.map(|value| format!(", {value} if left out"))
}

fn number(number: &Number) -> String {
    match number {
        Number::Int(number) => number.to_string(),
        Number::UInt(number) => number.to_string(),
        Number::Float(number) => number.to_string(),
    }
}

fn curl(api: &OpenApi, method: &str, path: &str, call: &Operation) -> String {
    let mut servers = api.servers.iter().flatten();
    let server = servers.next().map_or("", |server| &server.url);
    let mut url = format!("{server}{path}");
    let mut sign = '?';
    for parameter in parameters(call) {
        let schema = parameter.schema.as_ref();
        let value = schema.map_or_else(String::new, |schema| example(api, schema));
        let value = value.trim_matches('"');
        match parameter.parameter_in {
            ParameterIn::Path => url = url.replace(&format!("{{{}}}", parameter.name), value),
            ParameterIn::Query if parameter.required == Required::True => {
                url.push_str(&format!("{sign}{}={value}", parameter.name));
                sign = '&';
            }
            _ => {}
        }
    }
    let mut line = String::from("curl -sS");
    if !matches!(method, "get" | "post") || (method == "post" && call.request_body.is_none()) {
        line.push_str(&format!(" -X {}", method.to_uppercase()));
    }
    line.push_str(&format!(" '{url}'"));
    if scope(call).is_some() {
        line.push_str(" \\\n  -H \"Authorization: Bearer $CALEIDA_API_KEY\"");
    }
    if let Some(schema) = body(call) {
        line.push_str(&format!(
            " \\\n  -d '{}'",
            // The shell's only way to have one between two of them.
            example(api, schema).replace('\'', r"'\''")
        ));
    }
    line
}
