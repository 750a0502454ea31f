//! `/settings/api-keys/{id}/revoke`: the confirmation.

use axum::{extract::Path, http::StatusCode, response::Response};
use leptos::prelude::*;

use super::api_keys::show_under;
use crate::{
    domain::{ApiKeyId, Timestamp},
    store::ApiKeyRow,
    ui::{
        PageError,
        components::{
            dialog::{CANCEL, Dialog, Urgency},
            time_ago::relative,
        },
        flash::Flash,
        paths,
        visit::Visit,
        zone::use_zone,
    },
};

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    let found = visit.ui.api_keys.find(&visit.user.account_id, &id).await?;
    let row = found.filter(|row| row.revoked_at.is_none());
    let row = row.ok_or(PageError::NotFound)?;
    let (title, now) = (format!("Revoke “{}”?", row.key.name), visit.now);
    let dialog = || view! { <RevokeDialog row now/> }.into_any();
    show_under(&visit, &title, StatusCode::OK, dialog).await
}

/// When this answers, no process takes the key any more.
pub async fn revoke(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    let revoked = visit.ui.api_keys.revoke(&visit.actor(), &id).await?;
    let row = revoked.ok_or(PageError::NotFound)?;
    let flash = Flash::plain(format!("API key “{}” revoked.", row.key.name));
    Ok(visit.leave(flash, paths::API_KEYS).await)
}

fn parse_id(text: &str) -> Result<ApiKeyId, PageError> {
    text.parse().map_err(|_| PageError::NotFound)
}

#[component]
fn RevokeDialog(row: ApiKeyRow, now: Timestamp) -> impl IntoView {
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
            <form id="confirm" method="post" action=paths::revoke(&row.key.id)></form>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL autofocus=true>"Cancel"</button>
                <button class="button button--danger-solid" type="submit" form="confirm">"Revoke key"</button>
            </div>
        </Dialog>
    }
}
