//! One call, or one schema.

use leptos::prelude::*;
use serde_json::Value;

use crate::ui::{
    components::{
        code::CodeBlock,
        prose::{Prose, inline},
    },
    pages::docs::api::{
        document::{Answer, Call, Content, Document, Ordered, Parameter, Schema},
        example::{example, fields},
    },
};

#[component]
pub fn CallEntry<'a>(
    document: &'a Document,
    method: &'a str,
    path: &'a str,
    call: &'a Call,
) -> impl IntoView + use<> {
    let id = call.operation_id.clone();
    let heading = format!("{id}-title");
    let place = heading.clone();
    let scope = call.scope().map_or_else(
        || view! { <p class="quiet">"Needs no key."</p> }.into_any(),
        |scope| view! { <p class="quiet">"Scope "<code>{scope.to_owned()}</code></p> }.into_any(),
    );
    let parameters = (!call.parameters.is_empty()).then(|| {
        let rows = call
            .parameters
            .iter()
            .map(|parameter| parameter_row(document, parameter));
        let rows = rows.collect_view();
        view! { <h4>"Parameters"</h4><dl class="docs__fields">{rows}</dl> }
    });
    let body = call
        .request_body
        .as_ref()
        .and_then(|body| schema_of(&body.content));
    // Its example is that of curl.
    let request = body.map(|schema| view! { <h4>"Body"</h4>{table(document, schema.something())} });
    let (good, bad): (Vec<_>, Vec<_>) = call
        .responses
        .0
        .iter()
        .partition(|(status, _)| status.starts_with('2'));
    let good = good
        .into_iter()
        .map(|(status, answer)| answer_row(document, call, status, answer));
    let good = good.collect_view();
    let statuses: Vec<_> = bad.iter().map(|(status, _)| status.as_str()).collect();
    let problems = (!bad.is_empty()).then(|| {
        let statuses = statuses.join(", ");
        let bad = bad
            .into_iter()
            .map(|(status, answer)| answer_row(document, call, status, answer));
        let bad = bad.collect_view();
        view! {
            <details>
                <summary>"Problems: "{statuses}</summary>
                <dl class="docs__fields">{bad}</dl>
            </details>
        }
    });
    let curl = curl(document, method, path, call);
    let label = format!("curl for {}", call.summary);
    view! {
        <article class="card docs__call" id=id aria-labelledby=heading>
            <h3 id=place>{call.summary.clone()}</h3>
            <p class="docs__path"><strong>{method.to_uppercase()}</strong>" "<code>{path.to_owned()}</code></p>
            {scope}
            <Prose text=call.description.clone()/>
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
pub fn SchemaEntry<'a>(document: &'a Document, name: &'a str, schema: &'a Schema) -> impl IntoView + use<> {
    let heading = format!("schema-{name}-title");
    let place = heading.clone();
    let label = format!("Example of {name}");
    view! {
        <article class="card docs__call" id=format!("schema-{name}") aria-labelledby=heading>
            <h3 id=place>{name.to_owned()}</h3>
            <Prose text=schema.description.clone().unwrap_or_default()/>
            {kind_of_plain(schema)}
            {table(document, schema)}
            <details>
                <summary>"Example"</summary>
                <CodeBlock label text=example(document, schema)/>
            </details>
        </article>
    }
}

fn kind_of_plain(schema: &Schema) -> Option<AnyView> {
    let plain = schema.properties.0.is_empty() && schema.all_of.is_empty();
    plain.then(|| view! { <p class="docs__kind">{kind(schema)}</p> }.into_any())
}

fn parameter_row(document: &Document, parameter: &Parameter) -> AnyView {
    let place = if parameter.required {
        format!("{}, required", parameter.place)
    } else {
        parameter.place.clone()
    };
    view! {
        <div>
            <dt><code>{parameter.name.clone()}</code>" "<span class="quiet">{place}</span></dt>
            <dd>
                <p class="docs__kind">{kind(&parameter.schema)}{bounds(document.resolve(&parameter.schema))}</p>
                <p>{inline(&parameter.description)}</p>
            </dd>
        </div>
    }
    .into_any()
}

/// The fields of an object; nothing if it has none of its own.
fn table(document: &Document, schema: &Schema) -> Option<AnyView> {
    let fields = fields(document, schema);
    if fields.is_empty() {
        return None;
    }
    let rows = fields.into_iter().map(|(name, field, required)| {
        let text = field.description.clone().unwrap_or_default();
        let required = required.then(|| view! { " "<span class="quiet">"required"</span> });
        view! {
            <div>
                <dt><code>{name.to_owned()}</code>{required}</dt>
                <dd>
                    <p class="docs__kind">{kind(field)}{bounds(field)}</p>
                    <p>{inline(&text)}</p>
                </dd>
            </div>
        }
    });
    let rows = rows.collect_view();
    Some(view! { <dl class="docs__fields">{rows}</dl> }.into_any())
}

fn answer_row(document: &Document, call: &Call, status: &str, answer: &Answer) -> AnyView {
    let schema = schema_of(&answer.content);
    let headers = answer.headers.0.iter().map(|(name, header)| {
        view! { <p class="docs__kind"><code>{name.clone()}</code>": "{inline(&header.description)}</p> }
    });
    let headers = headers.collect_view();
    let shown = schema.filter(|_| status.starts_with('2')).map(|schema| {
        let label = format!("Answer {status} of {}", call.summary);
        view! { <details><summary>"Example"</summary><CodeBlock label text=example(document, schema)/></details> }
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

fn schema_of(content: &Ordered<Content>) -> Option<&Schema> {
    content.0.first().map(|(_, content)| &content.schema)
}

/// What a value is: a link to its schema, or its JSON type and what narrows it.
fn kind(schema: &Schema) -> AnyView {
    let nullable = schema.one_of.iter().any(Schema::is_null);
    let schema = schema.something();
    let or_null = nullable.then_some(" or null");
    if let Some(name) = schema.name() {
        let href = format!("#schema-{name}");
        return view! { <a href=href>{name.to_owned()}</a>{or_null} }.into_any();
    }
    if let Some(items) = &schema.items {
        return view! { "array of "{kind(items)}{or_null} }.into_any();
    }
    if !schema.meanings.is_empty() {
        return view! { "one of the "<a href="#problems">"problems"</a> }.into_any();
    }
    if !schema.words.is_empty() {
        let words: Vec<_> = schema.words.iter().map(ToString::to_string).collect();
        return format!("one of {}", words.join(", ")).into_any();
    }
    let name = match &schema.kind {
        Some(Value::Array(kinds)) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" or ")
        }
        Some(kind) => kind.as_str().unwrap_or("any").to_owned(),
        None => "object".to_owned(),
    };
    let format = schema.format.as_ref().filter(|format| !format.starts_with("int"));
    let format = format.map(|format| format!(" ({format})"));
    view! { {name}{format}{or_null} }.into_any()
}

/// `, 1 to 100 characters`
fn bounds(schema: &Schema) -> Option<String> {
    let range = |low: Option<String>, high: Option<String>, what: &str| match (low, high) {
        (Some(low), Some(high)) => Some(format!(", {low} to {high}{what}")),
        (Some(low), None) => Some(format!(", at least {low}{what}")),
        (None, Some(high)) => Some(format!(", at most {high}{what}")),
        (None, None) => None,
    };
    let text = |number: Option<u64>| number.map(|number| number.to_string());
    let number = |number: &Option<Value>| number.as_ref().map(ToString::to_string);
    let least = number(&schema.minimum).filter(|least| least != "0" || schema.maximum.is_some());
    let default = schema
        .default
        .as_ref()
        .map(|default| format!(", {default} if left out"));
    let parts = [
        range(text(schema.min_length), text(schema.max_length), " characters"),
        range(text(schema.min_items), text(schema.max_items), " entries"),
        range(least, number(&schema.maximum), ""),
        default,
    ];
    let parts: String = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then_some(parts)
}

fn curl(document: &Document, method: &str, path: &str, call: &Call) -> String {
    let mut url = format!("{}{path}", document.server());
    for parameter in call
        .parameters
        .iter()
        .filter(|parameter| parameter.place == "path")
    {
        let value = example(document, &parameter.schema);
        url = url.replace(&format!("{{{}}}", parameter.name), value.trim_matches('"'));
    }
    let required = |parameter: &&Parameter| parameter.place == "query" && parameter.required;
    for (index, parameter) in call.parameters.iter().filter(required).enumerate() {
        let sign = if index > 0 { '&' } else { '?' };
        let value = example(document, &parameter.schema);
        url.push_str(&format!("{sign}{}={}", parameter.name, value.trim_matches('"')));
    }
    let mut line = String::from("curl -sS");
    if !matches!(method, "get" | "post") || (method == "post" && call.request_body.is_none()) {
        line.push_str(&format!(" -X {}", method.to_uppercase()));
    }
    line.push_str(&format!(" '{url}'"));
    if call.scope().is_some() {
        line.push_str(" \\\n  -H \"Authorization: Bearer $CALEIDA_API_KEY\"");
    }
    if let Some(schema) = call
        .request_body
        .as_ref()
        .and_then(|body| schema_of(&body.content))
    {
        line.push_str(&format!(
            " \\\n  -d '{}'",
            // The shell's only way to have one between two of them.
            example(document, schema).replace('\'', r"'\''")
        ));
    }
    line
}
