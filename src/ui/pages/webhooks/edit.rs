//! `/integrations/webhook/{id}`: the dialog “Edit Webhook”.

mod dialog;
mod secret_panel;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use leptos::prelude::*;

use self::dialog::EditDialog;
use super::{
    form::{FormState, Pressed},
    held::Held,
    list::show_over_list,
};
use crate::{
    domain::{Role, WebhookId, WebhookStatus},
    ui::{
        PageError,
        actions::{
            protocol,
            secrets::{reveal_secret, rotate_secret},
            serve::Submission,
            webhooks::{WebhookForm, edit_webhook, header_names, pause_webhook, resume_webhook},
        },
        paths,
        request::{context::RequestContext, form::Form},
    },
};

pub async fn show(paths::Webhook { id }: paths::Webhook, ctx: RequestContext) -> Result<Response, PageError> {
    page(&ctx, &id, None, FormState::default()).await
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
    let form = match FormState::of_button(&ctx, form).await? {
        Pressed::Rows(form, state) => return page(&ctx, &id, Some(form), state).await,
        Pressed::Other(form) => form,
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
        Submission::Rerender(feedback) => {
            let state = FormState {
                feedback,
                ..FormState::default()
            };
            page(&ctx, &id, Some(form), state).await
        }
    }
}

/// `posted` is the submitted form. Without it, the form shows the stored webhook.
async fn page(
    ctx: &RequestContext,
    id: &WebhookId,
    posted: Option<WebhookForm>,
    mut state: FormState,
) -> Result<Response, PageError> {
    let webhook = ctx.webhook(id).await?;
    state.saved_headers = header_names(&webhook);
    let feedback = &state.feedback;
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
    let waiting = match webhook.settings.options.rate_limit {
        Some(_) => ctx.account().waiting_deliveries(id, ctx.now).await?,
        None => 0,
    };
    let (status, headers) = (feedback.status, feedback.headers());
    let policy = Arc::clone(&ctx.ui.delivery_policy);
    let (now, may_edit, may_test) = (ctx.now, ctx.has_role(Role::Admin), ctx.has_role(Role::Member));
    let page = show_over_list(ctx, "Edit Webhook", status, |query| {
        view! { <EditDialog webhook form state policy held waiting query may_edit may_test now/> }.into_any()
    });
    Ok((headers, page.await).into_response())
}
