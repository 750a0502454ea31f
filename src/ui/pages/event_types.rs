//! `/integrations/webhook/event-types`: the catalog of what can happen, and what a receiver gets of it.

use axum::{
    extract::{Path, RawQuery},
    response::{Redirect, Response},
};
use leptos::prelude::*;
use url::form_urlencoded;

use super::{delivery::Inert, webhook_edit::parse_id};
use crate::{
    domain::{EventType, Role, WebhookId},
    ui::{PageError, components::select::Select, paths, render::Page, shell::Section, visit::Visit},
};

/// How many webhooks can be chosen for a test.
const LISTED: usize = 100;

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    let webhooks = if visit.may(Role::Member) {
        visit.ui.store.webhook_names(&visit.user.account_id).await?
    } else {
        Vec::new()
    };
    let page = Page::new("Event types", Section::EventTypes);
    Ok(visit.page(page, || view! { <Catalog webhooks/> }.into_any()))
}

/// From the catalog to the test of the webhook that was chosen there.
pub async fn try_out(
    _: Visit,
    Path(event_type): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Redirect, PageError> {
    let event_type: EventType = event_type.parse().map_err(|_| PageError::NotFound)?;
    let query = query.unwrap_or_default();
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let webhook = fields.find(|(name, _)| name == "webhook").map(|(_, id)| id);
    let webhook = parse_id(&webhook.unwrap_or_default())?;
    Ok(Redirect::to(&paths::test_of(&webhook, event_type)))
}

#[component]
fn Catalog(webhooks: Vec<(WebhookId, String)>) -> impl IntoView {
    let links = EventType::ALL.map(|event_type| {
        view! { <li><a href=format!("#{event_type}")><code>{event_type.as_str()}</code></a></li> }
    });
    let entries = EventType::ALL
        .into_iter()
        .map(|event_type| view! { <Entry event_type webhooks=webhooks.clone()/> });
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
            <Inert label=example text=event_type.example_body()/>
            <details>
                <summary>"JSON Schema"</summary>
                <Inert label=schema text=event_type.schema().to_owned()/>
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
