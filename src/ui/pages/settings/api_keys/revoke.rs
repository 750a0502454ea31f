//! `/settings/api-keys/{id}/revoke`: the confirmation dialog.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use super::show_over_list;
use crate::{
    domain::{ApiKeyId, Timestamp},
    store::ApiKeyRow,
    ui::{
        PageError,
        actions::{
            api_keys::{ApiKeyRef, RevokeApiKey, revoke_api_key},
            protocol,
            serve::{FormFeedback, Submission},
        },
        components::{
            dialog::{CANCEL_FORM, Dialog, DialogRole},
            form::ActionForm,
            time_ago::relative,
        },
        paths,
        request::{context::RequestContext, zone::use_zone},
    },
};

pub async fn show(
    paths::ApiKeyRevoke { id }: paths::ApiKeyRevoke,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    page(&ctx, &id, FormFeedback::default()).await
}

pub async fn revoke(
    paths::ApiKeyRevoke { id }: paths::ApiKeyRevoke,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    let form = ApiKeyRef { id: id.to_string() };
    match ctx.submit(revoke_api_key(protocol::Form::new(form))).await? {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => page(&ctx, &id, feedback).await,
    }
}

async fn page(ctx: &RequestContext, id: &ApiKeyId, feedback: FormFeedback) -> Result<Response, PageError> {
    let found = ctx.ui.api_keys.find(&ctx.user.account_id, id).await?;
    let row = found.filter(|row| row.revoked_at.is_none());
    let row = row.ok_or(PageError::NotFound)?;
    let (title, now) = (format!("Revoke “{}”?", row.key.name), ctx.now);
    let (status, headers) = (feedback.status, feedback.headers());
    let dialog = || view! { <RevokeDialog row feedback now/> }.into_any();
    let page = show_over_list(ctx, &title, status, dialog).await?;
    Ok((headers, page).into_response())
}

#[component]
fn RevokeDialog(row: ApiKeyRow, feedback: FormFeedback, now: Timestamp) -> impl IntoView {
    let used = match row.last_used_at {
        Some(at) => format!("Last used {}.", relative(at, now, &use_zone())),
        None => "Never used.".to_owned(),
    };
    view! {
        <Dialog title=format!("Revoke “{}”?", row.key.name) role=DialogRole::AlertDialog list=paths::API_KEYS>
            // Focusable so that the text can be scrolled by keyboard on small screens.
            <div class="dialog__body" id="dialog-text" tabindex="0">
                <p>{used}</p>
                <p>
                    "Requests that use "<code>{format!("{}…", row.key.prefix)}</code>
                    " will be rejected immediately. This cannot be undone."
                </p>
            </div>
            <ActionForm
                id="confirm"
                class="dialog__confirm"
                page=paths::revoke(&row.key.id)
                function=RevokeApiKey::PATH
                notice=(&feedback).into()
            >
                <input type="hidden" name="id" value=row.key.id.to_string()/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL_FORM autofocus=true>"Cancel"</button>
                <button class="button button--danger-solid" type="submit" form="confirm">"Revoke key"</button>
            </div>
        </Dialog>
    }
}
