//! `/integrations/webhook/{id}`: the dialog “Edit Webhook”.

mod dialog;
mod secret_panel;

use axum::response::{IntoResponse, Response};
use leptos::prelude::*;

use self::dialog::EditDialog;
use super::{held::Held, list::show_over_list};
use crate::{
    domain::{Role, WebhookId, WebhookStatus},
    ui::{
        PageError,
        actions::{
            protocol,
            secrets::{reveal_secret, rotate_secret},
            serve::{FormFeedback, Submission},
            webhooks::{WebhookForm, edit_webhook, pause_webhook, resume_webhook},
        },
        paths,
        request::{context::RequestContext, form::Form},
    },
};

pub async fn show(paths::Webhook { id }: paths::Webhook, ctx: RequestContext) -> Result<Response, PageError> {
    page(&ctx, &id, None, FormFeedback::default()).await
}

/// Handles the form, whose buttons call different server functions.
pub async fn change(
    paths::Webhook { id }: paths::Webhook,
    ctx: RequestContext,
    Form(form): Form<WebhookForm>,
) -> Result<Response, PageError> {
    let form = WebhookForm {
        id: id.to_string(),
        ..form
    };
    let argument = protocol::Form::new(form.clone());
    let submitted = match &*form.button {
        "pause" => ctx.submit(pause_webhook(argument)).await?,
        "resume" => ctx.submit(resume_webhook(argument)).await?,
        "reveal" => ctx.submit(reveal_secret(argument)).await?,
        "rotate" => ctx.submit(rotate_secret(argument)).await?,
        _ => ctx.submit(edit_webhook(argument)).await?,
    };
    match submitted {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => page(&ctx, &id, Some(form), feedback).await,
    }
}

/// `posted` is the submitted form. Without it, the form shows the stored webhook.
async fn page(
    ctx: &RequestContext,
    id: &WebhookId,
    posted: Option<WebhookForm>,
    feedback: FormFeedback,
) -> Result<Response, PageError> {
    let webhook = ctx.webhook(id).await?;
    let form = match posted {
        None => WebhookForm::from_webhook(&webhook, ctx.url_visibility()),
        Some(posted) => WebhookForm {
            version: feedback.version.or(posted.version).or(Some(webhook.version)),
            ..posted
        },
    };
    let held = if webhook.status == WebhookStatus::Paused {
        Held::load(ctx, std::slice::from_ref(id)).await.remove(id)
    } else {
        None
    };
    let (status, headers) = (feedback.status, feedback.headers());
    let (now, may_edit, may_test) = (ctx.now, ctx.has_role(Role::Admin), ctx.has_role(Role::Member));
    let page = show_over_list(ctx, "Edit Webhook", status, |query| {
        view! { <EditDialog webhook form feedback held query may_edit may_test now/> }.into_any()
    });
    Ok((headers, page.await).into_response())
}
