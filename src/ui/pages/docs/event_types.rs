//! `/integrations/webhook/event-types`: the event type catalog with examples and schemas.

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
        request::context::RequestContext,
    },
};

/// Maximum number of webhooks that are offered for a test.
const MAX_TEST_WEBHOOKS: usize = 100;

pub async fn show(ctx: RequestContext) -> Result<Response, PageError> {
    let webhooks = if ctx.has_role(Role::Member) {
        ctx.account().webhook_names().await?
    } else {
        Vec::new()
    };
    let page = Page::new("Event types", Section::EventTypes);
    Ok(ctx.render_page(page, || view! { <Catalog webhooks/> }.into_any()))
}

/// The webhook to send a test event to.
#[derive(Deserialize)]
pub struct TestParams {
    #[serde(default)]
    webhook: String,
}

/// Redirects from the catalog to the test dialog of the selected webhook.
pub async fn try_out(
    paths::EventTypeTest { event_type }: paths::EventTypeTest,
    Query(params): Query<TestParams>,
) -> Result<Redirect, PageError> {
    let webhook = params.webhook.parse().map_err(|_| PageError::NotFound)?;
    Ok(Redirect::to(&paths::test_with_type(&webhook, event_type)))
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
                    "The events that a webhook can subscribe to, and the body that it receives for each. New fields may be added \
                     at any time, so ignore unknown fields. Publish events through the "
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
    let (label_id, heading_id) = (format!("{event_type}-title"), format!("{event_type}-title"));
    let example = format!("Example of {event_type}");
    let schema = format!("JSON Schema of {event_type}");
    let try_out = (!webhooks.is_empty()).then(|| view! { <TryOut event_type webhooks/> });
    view! {
        <section class="card catalog__entry" id=event_type.as_str() aria-labelledby=label_id>
            <h2 id=heading_id><code>{event_type.as_str()}</code></h2>
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
    // The list appears once per event type. Further webhooks can be tested from their edit dialog.
    let choices = webhooks
        .into_iter()
        .take(MAX_TEST_WEBHOOKS)
        .map(|(id, name)| (id.to_string(), name))
        .collect();
    view! {
        <form class="test__form" method="get" action=paths::event_type_test(event_type)>
            <Select id name="webhook" label="Send a test event to" choices chosen=""/>
            <button class="button" type="submit">"Test…"</button>
        </form>
    }
}
