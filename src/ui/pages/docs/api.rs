//! `/api/docs`: the API reference, rendered from the OpenAPI document.

mod document;
mod example;
mod operation;

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::Response,
};
use leptos::prelude::*;
use utoipa::openapi::OpenApi;

use self::{
    document::{components, operations, problems},
    operation::{OperationEntry, SchemaEntry},
};
use crate::ui::{
    Ui,
    components::{
        logo::Logo,
        prose::{Prose, inline},
    },
    layout::{
        document::{Page, render_bare},
        shell::Section,
    },
    paths,
    request::{context::RequestContext, preferences::Preferences},
};

const TITLE: &str = "API";

/// Public, because it contains nothing about an account. Signed-in users see it within the shell.
pub async fn show(State(ui): State<Ui>, mut parts: Parts) -> Response {
    let docs = || view! { <Docs api=&ui.api/> };
    if let Ok(ctx) = RequestContext::from_request_parts(&mut parts, &ui).await {
        return ctx.render_page(Page::new(TITLE, Section::None), || docs().into_any());
    }
    let preferences = Preferences::from_headers(&parts.headers);
    render_bare(&ui.site, &preferences, TITLE, StatusCode::OK, || {
        view! {
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="docs-bar"><a class="brand" href=paths::LIST><Logo/>"Caleida"</a></header>
            <main class="docs-alone" id="main" tabindex="-1">{docs()}</main>
        }
        .into_any()
    })
}

#[component]
fn Docs<'a>(api: &'a OpenApi) -> impl IntoView + use<> {
    let sections = api.tags.iter().flatten().map(|tag| {
        let operations = operations(api, &tag.name);
        let operations =
            operations.map(|(method, path, operation)| view! { <OperationEntry api method path operation/> });
        let (label_id, heading_id) = (slug(&tag.name), slug(&tag.name));
        view! {
            <section class="docs__noun" aria-labelledby=label_id>
                <h2 id=heading_id>{tag.name.clone()}</h2>
                <Prose text=tag.description.clone().unwrap_or_default()/>
                {operations.collect_view()}
            </section>
        }
    });
    let sections = sections.collect_view();
    let problems = problems(api).map(|(name, text)| {
        view! { <div><dt><code>{name.to_owned()}</code></dt><dd>{inline(text)}</dd></div> }
    });
    let problems = problems.collect_view();
    let schemas = components(api).schemas.iter();
    let schemas = schemas.map(|(name, schema)| view! { <SchemaEntry api name schema/> });
    let schemas = schemas.collect_view();
    let contents = view! { <Contents api/> };
    let version = api.info.version.clone();
    let introduction = api.info.description.clone().unwrap_or_default();
    view! {
        <div class="heading">
            <div>
                <h1>"API"</h1>
                <p class="heading__text">
                    "Version "{version}". Machine-readable description: "<a href=paths::API_DESCRIPTION>"openapi.json"</a>" (OpenAPI 3.1)."
                </p>
            </div>
        </div>
        <div class="docs">
            {contents}
            <div class="docs__text">
                <section class="docs__introduction" aria-label="About this API"><Prose text=introduction/></section>
                {sections}
                <section class="docs__noun" aria-labelledby="problems">
                    <h2 id="problems">"Problems"</h2>
                    <p>"Values of "<code>"type"</code>", without their prefix "<code>"urn:caleida:problem:"</code>", and what to do about each."</p>
                    <dl class="card docs__call docs__fields">{problems}</dl>
                </section>
                <section class="docs__noun" aria-labelledby="schemas">
                    <h2 id="schemas">"Schemas"</h2>
                    {schemas}
                </section>
            </div>
        </div>
    }
}

#[component]
fn Contents<'a>(api: &'a OpenApi) -> impl IntoView + use<> {
    let groups = api.tags.iter().flatten().map(|tag| {
        let operations = operations(api, &tag.name).map(|(_, _, operation)| {
            let id = operation.operation_id.clone().unwrap_or_default();
            view! { <li><a href=format!("#{id}")>{operation.summary.clone()}</a></li> }
        });
        view! {
            <li>
                <a href=format!("#{}", slug(&tag.name))>{tag.name.clone()}</a>
                <ul>{operations.collect_view()}</ul>
            </li>
        }
    });
    view! {
        <nav class="docs__contents" aria-label="Contents">
            <ul>
                {groups.collect_view()}
                <li><a href="#problems">"Problems"</a></li>
                <li><a href="#schemas">"Schemas"</a></li>
            </ul>
        </nav>
    }
}

fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}
