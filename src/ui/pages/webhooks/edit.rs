//! `/integrations/webhook/{id}`: the dialog “Edit Webhook”.

mod dialog;
mod secret_panel;

use axum::response::{IntoResponse, Response};
use leptos::prelude::*;

use self::dialog::EditDialog;
use super::list::show_under;
use crate::{
    domain::{Role, WebhookId, WebhookStatus},
    ui::{
        PageError,
        actions::{
            protocol,
            secrets::{reveal_secret, rotate_secret},
            serve::{Reply, Submitted},
            webhooks::{WebhookForm, edit_webhook, pause_webhook, resume_webhook},
        },
        paths,
        request::{form::Form, visit::Visit},
    },
};

pub async fn show(paths::Webhook { id }: paths::Webhook, visit: Visit) -> Result<Response, PageError> {
    page(&visit, &id, None, Reply::default()).await
}

/// One form with several buttons, each of which has a function of its own.
pub async fn change(
    paths::Webhook { id }: paths::Webhook,
    visit: Visit,
    Form(form): Form<WebhookForm>,
) -> Result<Response, PageError> {
    let form = WebhookForm {
        id: id.to_string(),
        ..form
    };
    let argument = protocol::Form::of(form.clone());
    let submitted = match &*form.button {
        "pause" => visit.submit(pause_webhook(argument)).await?,
        "resume" => visit.submit(resume_webhook(argument)).await?,
        "reveal" => visit.submit(reveal_secret(argument)).await?,
        "rotate" => visit.submit(rotate_secret(argument)).await?,
        _ => visit.submit(edit_webhook(argument)).await?,
    };
    match submitted {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => page(&visit, &id, Some(form), reply).await,
    }
}

/// `posted`: what was typed into the form; otherwise it shows what is stored.
async fn page(
    visit: &Visit,
    id: &WebhookId,
    posted: Option<WebhookForm>,
    reply: Reply,
) -> Result<Response, PageError> {
    let webhook = visit.webhook(id).await?;
    let form = match posted {
        None => WebhookForm::of(&webhook),
        Some(posted) => WebhookForm {
            version: reply.version.or(posted.version).or(Some(webhook.version)),
            ..posted
        },
    };
    let held = if webhook.status == WebhookStatus::Paused {
        let account = visit.account();
        // Without the number the webhook can be resumed all the same.
        let open = account.open_deliveries(id).await;
        open.unwrap_or_default().held
    } else {
        0
    };
    let (status, headers) = (reply.status, reply.headers());
    let (now, may_edit, may_test) = (visit.now, visit.may(Role::Admin), visit.may(Role::Member));
    let page = show_under(visit, "Edit Webhook", status, |query| {
        view! { <EditDialog webhook form reply held query may_edit may_test now/> }.into_any()
    });
    Ok((headers, page.await).into_response())
}
