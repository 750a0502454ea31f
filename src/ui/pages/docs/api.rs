//! `/api/docs`: all calls of the API, from the description that programs read.

mod call;
mod document;
mod example;

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::Response,
};
use leptos::prelude::*;
use utoipa::openapi::OpenApi;

use self::{
    call::{CallEntry, SchemaEntry},
    document::{calls, components, problems},
};
use crate::ui::{
    Ui,
    components::{
        mark::Mark,
        prose::{Prose, inline},
    },
    layout::{
        document::{Page, bare},
        shell::Section,
    },
    paths,
    request::{preferences::Preferences, visit::Visit},
};

const TITLE: &str = "API";

/// For everybody: it tells no more than the program itself does. Who is signed in sees it in the shell.
pub async fn show(State(ui): State<Ui>, mut parts: Parts) -> Response {
    let docs = || view! { <Docs api=&ui.api/> };
    if let Ok(visit) = Visit::from_request_parts(&mut parts, &ui).await {
        return visit.page(Page::new(TITLE, Section::None), || docs().into_any());
    }
    let preferences = Preferences::of(&parts.headers);
    bare(&ui.site, &preferences, TITLE, StatusCode::OK, || {
        view! {
            <a class="skip" href="#main">"Skip to content"</a>
            <header class="docs-bar"><a class="brand" href=paths::LIST><Mark/>"Caleida"</a></header>
            <main class="docs-alone" id="main" tabindex="-1">{docs()}</main>
        }
        .into_any()
    })
}

#[component]
fn Docs<'a>(api: &'a OpenApi) -> impl IntoView + use<> {
    let nouns = api.tags.iter().flatten().map(|tag| {
        let calls = calls(api, &tag.name);
        let calls = calls.map(|(method, path, call)| view! { <CallEntry api method path call/> });
        let (id, heading) = (slug(&tag.name), slug(&tag.name));
        view! {
            <section class="docs__noun" aria-labelledby=id>
                <h2 id=heading>{tag.name.clone()}</h2>
                <Prose text=tag.description.clone().unwrap_or_default()/>
                {calls.collect_view()}
            </section>
        }
    });
    let nouns = nouns.collect_view();
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
                    "Version "{version}". For programs: "<a href=paths::API_DESCRIPTION>"openapi.json"</a>", OpenAPI 3.1."
                </p>
            </div>
        </div>
        <div class="docs">
            {contents}
            <div class="docs__text">
                <section class="docs__introduction" aria-label="About this API"><Prose text=introduction/></section>
                {nouns}
                <section class="docs__noun" aria-labelledby="problems">
                    <h2 id="problems">"Problems"</h2>
                    <p>"The end of their "<code>"type"</code>", after "<code>"urn:caleida:problem:"</code>", and what to do."</p>
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
        let calls = calls(api, &tag.name).map(|(_, _, call)| {
            let id = call.operation_id.clone().unwrap_or_default();
            view! { <li><a href=format!("#{id}")>{call.summary.clone()}</a></li> }
        });
        view! {
            <li>
                <a href=format!("#{}", slug(&tag.name))>{tag.name.clone()}</a>
                <ul>{calls.collect_view()}</ul>
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
