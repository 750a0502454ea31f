//! `/integrations/webhook/{id}/delete`: the confirmation dialog.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use super::list::show_over_list;
use crate::{
    domain::{Webhook, WebhookId},
    store::OpenDeliveries,
    ui::{
        PageError,
        actions::{
            self,
            serve::{FormFeedback, Submission},
            webhooks::{DeleteWebhook, WebhookRef, delete_webhook},
        },
        components::{
            count::format_open_deliveries,
            dialog::{CANCEL_FORM, Dialog, DialogRole},
            form::ActionForm,
        },
        paths,
        request::{context::RequestContext, form::Form, query::ListQuery},
    },
};

pub async fn show(
    paths::WebhookDelete { id }: paths::WebhookDelete,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    page(&ctx, &id, FormFeedback::default()).await
}

pub async fn delete(
    paths::WebhookDelete { id }: paths::WebhookDelete,
    ctx: RequestContext,
    Form(form): Form<WebhookRef>,
) -> Result<Response, PageError> {
    let form = WebhookRef {
        id: id.to_string(),
        ..form
    };
    match ctx
        .submit(delete_webhook(actions::protocol::Form::new(form)))
        .await?
    {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => page(&ctx, &id, feedback).await,
    }
}

async fn page(ctx: &RequestContext, id: &WebhookId, feedback: FormFeedback) -> Result<Response, PageError> {
    let webhook = ctx.webhook(id).await?;
    let url = webhook.settings.url.shown(ctx.url_visibility());
    let account = ctx.account();
    let open = account.open_deliveries(id).await?;
    let title = format!("Delete “{}”?", webhook.settings.name);
    let (status, headers) = (feedback.status, feedback.headers());
    let page = show_over_list(ctx, &title, status, |query| {
        view! { <DeleteDialog webhook url open feedback query/> }.into_any()
    });
    Ok((headers, page.await).into_response())
}

#[component]
fn DeleteDialog(
    webhook: Webhook,
    url: String,
    open: OpenDeliveries,
    feedback: FormFeedback,
    query: ListQuery,
) -> impl IntoView {
    let open = match open.pending + open.held {
        0 => "No deliveries are pending.".to_owned(),
        1 => "1 delivery is pending and will be cancelled.".to_owned(),
        n if n > OpenDeliveries::COUNT_LIMIT => {
            "More than 10,000 deliveries are pending and will be cancelled.".to_owned()
        }
        n => format!("{} are pending and will be cancelled.", format_open_deliveries(n)),
    };
    let page = query.href(&paths::delete(&webhook.id));
    let notice = (&feedback).into();
    view! {
        <Dialog title=format!("Delete “{}”?", webhook.settings.name) role=DialogRole::AlertDialog query=query.clone()>
            // Focusable so that the text can be scrolled by keyboard on small screens.
            <div class="dialog__body" id="dialog-text" tabindex="0">
                <p>{open}</p>
                <p>"Once deleted, no calls will be made to "<span class="address">{url}</span>"."</p>
            </div>
            <ActionForm id="confirm" class="dialog__confirm" page function=DeleteWebhook::PATH notice>
                <input type="hidden" name="id" value=webhook.id.to_string()/>
                <input type="hidden" name="back" value=query.href(paths::LIST)/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL_FORM autofocus=true>"Cancel"</button>
                <button class="button button--danger-solid" type="submit" form="confirm">"Delete webhook"</button>
            </div>
        </Dialog>
    }
}
