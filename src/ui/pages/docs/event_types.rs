//! `/integrations/webhook/event-types`: the catalog of what can happen, and what a receiver gets of it.

use axum::response::{Redirect, Response};
use axum_extra::extract::Query;
use leptos::prelude::*;
use serde::Deserialize;
use strum::VariantArray;

use crate::{
    domain::{EventType, Role, WebhookId},
    ui::{
        PageError,
        components::{code::CodeBlock, select::Select},
        layout::{document::Page, shell::Section},
        paths,
        request::visit::Visit,
    },
};

/// How many webhooks can be chosen for a test.
const LISTED: usize = 100;

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    let webhooks = if visit.may(Role::Member) {
        visit.account().webhook_names().await?
    } else {
        Vec::new()
    };
    let page = Page::new("Event types", Section::EventTypes);
    Ok(visit.page(page, || view! { <Catalog webhooks/> }.into_any()))
}

/// The webhook to try an event type out with.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    webhook: String,
}

/// From the catalog to the test of the webhook that was chosen there.
pub async fn try_out(
    paths::EventTypeTest { event_type }: paths::EventTypeTest,
    Query(chosen): Query<Chosen>,
) -> Result<Redirect, PageError> {
    let webhook = chosen.webhook.parse().map_err(|_| PageError::NotFound)?;
    Ok(Redirect::to(&paths::test_of(&webhook, event_type)))
}

#[component]
fn Catalog(webhooks: Vec<(WebhookId, String)>) -> impl IntoView {
    let links = EventType::VARIANTS.iter().map(|event_type| {
        view! { <li><a href=format!("#{event_type}")><code>{event_type.as_str()}</code></a></li> }
    });
    let entries = EventType::VARIANTS
        .iter()
        .map(|&event_type| view! { <Entry event_type webhooks=webhooks.clone()/> });
    view! {
        <div class="heading">
            <div>
                <h1>"Event types"</h1>
                <p class="heading__text">
                    "What can happen, and the body that a webhook gets of it. New fields may be added to it at any time: let your \
                     receiver ignore what it does not know. Programs publish them through the "
                    <a href=paths::API_DOCS>"API"</a>"."
                </p>
            </div>
        </div>
        <nav aria-label="Event types"><ul class="catalog__links">{links.collect_view()}</ul></nav>
        {entries.collect_view()}
    }
}

#[component]
fn Entry(event_type: EventType, webhooks: Vec<(WebhookId, String)>) -> impl IntoView {
    let (heading, place) = (format!("{event_type}-title"), format!("{event_type}-title"));
    let example = format!("Example of {event_type}");
    let schema = format!("JSON Schema of {event_type}");
    let try_out = (!webhooks.is_empty()).then(|| view! { <TryOut event_type webhooks/> });
    view! {
        <section class="card catalog__entry" id=event_type.as_str() aria-labelledby=heading>
            <h2 id=place><code>{event_type.as_str()}</code></h2>
            <p>{event_type.meaning()}</p>
            <h3>"Example"</h3>
            <CodeBlock label=example text=event_type.example_body()/>
            <details>
                <summary>"JSON Schema"</summary>
                <CodeBlock label=schema text=event_type.schema().to_owned()/>
            </details>
            {try_out}
        </section>
    }
}

#[component]
fn TryOut(event_type: EventType, webhooks: Vec<(WebhookId, String)>) -> impl IntoView {
    let id = format!("to-{event_type}");
    // Seven lists of all that a large account has would be most of the page; the others are tested from their own.
    let choices = webhooks
        .into_iter()
        .take(LISTED)
        .map(|(id, name)| (id.to_string(), name))
        .collect();
    view! {
        <form class="test__form" method="get" action=paths::try_out(event_type)>
            <Select id name="webhook" label="Send this to" choices chosen=""/>
            <button class="button" type="submit">"Test…"</button>
        </form>
    }
}
