//! `/integrations/webhook/{id}/delete`: the confirmation.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use super::list::show_under;
use crate::{
    domain::{Webhook, WebhookId},
    store::OpenDeliveries,
    ui::{
        PageError,
        actions::{
            self,
            serve::{Reply, Submitted},
            webhooks::{DeleteWebhook, WebhookRef, delete_webhook},
        },
        components::{
            count::open_deliveries,
            dialog::{CANCEL, Dialog, Urgency},
            form::ActionForm,
        },
        paths,
        request::{form::Form, query::ListQuery, visit::Visit},
    },
};

pub async fn show(
    paths::WebhookDelete { id }: paths::WebhookDelete,
    visit: Visit,
) -> Result<Response, PageError> {
    page(&visit, &id, Reply::default()).await
}

pub async fn delete(
    paths::WebhookDelete { id }: paths::WebhookDelete,
    visit: Visit,
    Form(form): Form<WebhookRef>,
) -> Result<Response, PageError> {
    let form = WebhookRef {
        id: id.to_string(),
        ..form
    };
    match visit
        .submit(delete_webhook(actions::protocol::Form::of(form)))
        .await?
    {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => page(&visit, &id, reply).await,
    }
}

async fn page(visit: &Visit, id: &WebhookId, reply: Reply) -> Result<Response, PageError> {
    let webhook = visit.webhook(id).await?;
    let account = visit.account();
    let open = account.open_deliveries(id).await?;
    let title = format!("Delete “{}”?", webhook.name);
    let (status, headers) = (reply.status, reply.headers());
    let page = show_under(visit, &title, status, |query| {
        view! { <DeleteDialog webhook open reply query/> }.into_any()
    });
    Ok((headers, page.await).into_response())
}

#[component]
fn DeleteDialog(webhook: Webhook, open: OpenDeliveries, reply: Reply, query: ListQuery) -> impl IntoView {
    let open = match open.pending + open.held {
        0 => "No delivery is pending.".to_owned(),
        1 => "1 delivery is pending and will be cancelled.".to_owned(),
        n if n > OpenDeliveries::COUNTED => {
            "More than 10,000 deliveries are pending and will be cancelled.".to_owned()
        }
        n => format!("{} are pending and will be cancelled.", open_deliveries(n)),
    };
    let page = query.on(&paths::delete(&webhook.id));
    let said = (&reply).into();
    view! {
        <Dialog title=format!("Delete “{}”?", webhook.name) urgency=Urgency::Alert query=query.clone()>
            // On a small screen the text scrolls, also by keyboard.
            <div class="dialog__body" id="dialog-text" tabindex="0">
                <p>{open}</p>
                <p>"Once deleted, no calls will be made to "<span class="address">{webhook.url.to_string()}</span>"."</p>
            </div>
            <ActionForm id="confirm" class="dialog__confirm" page function=DeleteWebhook::PATH reply=said>
                <input type="hidden" name="id" value=webhook.id.to_string()/>
                <input type="hidden" name="back" value=query.on(paths::LIST)/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL autofocus=true>"Cancel"</button>
                <button class="button button--danger-solid" type="submit" form="confirm">"Delete webhook"</button>
            </div>
        </Dialog>
    }
}
