//! `/integrations/webhook/{id}/test`: the dialog “Send test event”, and what came of it.

use axum::response::{IntoResponse, Response};
use axum_extra::extract::Query;
use leptos::{prelude::*, server_fn::ServerFn};
use serde::Deserialize;
use strum::VariantArray;

use super::list::show_under;
use crate::{
    domain::{EventType, Webhook},
    ui::{
        PageError,
        actions::{
            protocol,
            serve::{Reply, Submitted},
            webhooks::{SendTest, TestForm, send_test},
        },
        components::{
            dialog::{CANCEL, Dialog},
            form::{ActionForm, Part},
            select::Select,
        },
        paths,
        request::{form::Form, query::ListQuery, visit::Visit},
    },
};

/// What the catalog of event types has chosen already.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    r#type: String,
}

pub async fn show(
    paths::WebhookTest { id }: paths::WebhookTest,
    Query(chosen): Query<Chosen>,
    visit: Visit,
) -> Result<Response, PageError> {
    let webhook = visit.webhook(&id).await?;
    let own = || webhook.events.iter().next().unwrap_or(EventType::Chat);
    let chosen = chosen.r#type.parse().unwrap_or_else(|_| own());
    Ok(page(&visit, webhook, chosen, Reply::default()).await)
}

pub async fn send(
    paths::WebhookTest { id }: paths::WebhookTest,
    visit: Visit,
    Form(form): Form<TestForm>,
) -> Result<Response, PageError> {
    let webhook = visit.webhook(&id).await?;
    let chosen = form.r#type.parse().unwrap_or(EventType::Chat);
    let form = TestForm {
        id: id.to_string(),
        ..form
    };
    match visit.submit(send_test(protocol::Form::of(form))).await? {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => Ok(page(&visit, webhook, chosen, reply).await),
    }
}

async fn page(visit: &Visit, webhook: Webhook, chosen: EventType, reply: Reply) -> Response {
    let (status, headers) = (reply.status, reply.headers());
    let page = show_under(visit, "Send test event", status, |query| {
        view! { <TestDialog webhook chosen reply query/> }.into_any()
    });
    (headers, page.await).into_response()
}

#[component]
fn TestDialog(webhook: Webhook, chosen: EventType, reply: Reply, query: ListQuery) -> impl IntoView {
    let types = EventType::VARIANTS
        .iter()
        .map(|event| (event.to_string(), event.to_string()));
    let said = (&reply).into();
    let (edit, page) = (
        query.on(&paths::webhook(&webhook.id)),
        query.on(&paths::test(&webhook.id)),
    );
    view! {
        <Dialog title="Send test event" query=query.clone()>
            <div class="dialog__body test">
                <p>
                    "An example goes to "<a href=edit data-soft>{webhook.name.to_string()}</a>
                    " at once, signed like every event: "<span class="address">{webhook.url.to_string()}</span>
                </p>
                <ActionForm class="test__form" id="test" page function=SendTest::PATH reply=said>
                    <input type="hidden" name="id" value=webhook.id.to_string()/>
                    <Select id="test-type" name="type" label="Event type" choices=types.collect() chosen=chosen.as_str()/>
                    <button class="button button--primary" type="submit" autofocus=true>"Send test event"</button>
                </ActionForm>
                <Part html=reply.part/>
            </div>
            <div class="dialog__buttons">
                <span class="dialog__gap"></span>
                <button class="button" type="submit" form=CANCEL>"Close"</button>
            </div>
        </Dialog>
    }
}
