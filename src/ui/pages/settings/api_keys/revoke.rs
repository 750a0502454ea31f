//! `/settings/api-keys/{id}/revoke`: the confirmation.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use super::show_under;
use crate::{
    domain::{ApiKeyId, Timestamp},
    store::ApiKeyRow,
    ui::{
        PageError,
        actions::{
            api_keys::{ApiKeyRef, RevokeApiKey, revoke_api_key},
            protocol,
            serve::{Reply, Submitted},
        },
        components::{
            dialog::{CANCEL, Dialog, Urgency},
            form::ActionForm,
            time_ago::relative,
        },
        paths,
        request::{visit::Visit, zone::use_zone},
    },
};

pub async fn show(
    paths::ApiKeyRevoke { id }: paths::ApiKeyRevoke,
    visit: Visit,
) -> Result<Response, PageError> {
    page(&visit, &id, Reply::default()).await
}

pub async fn revoke(
    paths::ApiKeyRevoke { id }: paths::ApiKeyRevoke,
    visit: Visit,
) -> Result<Response, PageError> {
    let form = ApiKeyRef { id: id.to_string() };
    match visit.submit(revoke_api_key(protocol::Form::of(form))).await? {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => page(&visit, &id, reply).await,
    }
}

async fn page(visit: &Visit, id: &ApiKeyId, reply: Reply) -> Result<Response, PageError> {
    let found = visit.ui.api_keys.find(&visit.user.account_id, id).await?;
    let row = found.filter(|row| row.revoked_at.is_none());
    let row = row.ok_or(PageError::NotFound)?;
    let (title, now) = (format!("Revoke “{}”?", row.key.name), visit.now);
    let (status, headers) = (reply.status, reply.headers());
    let dialog = || view! { <RevokeDialog row reply now/> }.into_any();
    let page = show_under(visit, &title, status, dialog).await?;
    Ok((headers, page).into_response())
}

#[component]
fn RevokeDialog(row: ApiKeyRow, reply: Reply, now: Timestamp) -> impl IntoView {
    let used = match row.last_used_at {
        Some(at) => format!("It was last used {}.", relative(at, now, &use_zone())),
        None => "It was never used.".to_owned(),
    };
    view! {
        <Dialog title=format!("Revoke “{}”?", row.key.name) urgency=Urgency::Alert list=paths::API_KEYS>
            // On a small screen the text scrolls, also by keyboard.
            <div class="dialog__body" id="dialog-text" tabindex="0">
                <p>{used}</p>
                <p>
                    "Whatever sends "<code>{format!("{}…", row.key.prefix)}</code>
                    " will be refused from this moment on. This cannot be undone."
                </p>
            </div>
            <ActionForm
                id="confirm"
                class="dialog__confirm"
                page=paths::revoke(&row.key.id)
                function=RevokeApiKey::PATH
                reply=(&reply).into()
            >
                <input type="hidden" name="id" value=row.key.id.to_string()/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL autofocus=true>"Cancel"</button>
                <button class="button button--danger-solid" type="submit" form="confirm">"Revoke key"</button>
            </div>
        </Dialog>
    }
}
