//! `POST …/{id}/pause` and `…/{id}/resume`.

use axum::{extract::Path, http::StatusCode, response::Response};

use super::webhook_edit::{Edit, is_unsaved, load};
use crate::{
    domain::Webhook,
    store::Held,
    ui::{PageError, flash::Flash, form::Posted, paths, visit::Visit},
};

pub async fn pause(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let before = load(&visit, &id).await?;
    let after = visit.ui.webhooks.pause(&visit.actor(), &before.id).await?;
    Ok(answer(&visit, &before, after, &posted, "paused").await)
}

pub async fn resume(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let before = load(&visit, &id).await?;
    let held = match posted.text("held") {
        "drop" => Held::Drop,
        _ => Held::Send,
    };
    let actor = visit.actor();
    let after = visit.ui.webhooks.resume(&actor, &before.id, held).await?;
    Ok(answer(&visit, &before, after, &posted, "resumed").await)
}

/// Back to the list, unless something was typed: then the form stays open with it.
async fn answer(visit: &Visit, before: &Webhook, after: Webhook, posted: &Posted, what: &str) -> Response {
    let flash = Flash::done(&after, what);
    let typed = posted.version().is_some() && is_unsaved(before, &posted.draft());
    if !typed {
        return visit.leave(flash, &visit.list_query().on(paths::LIST)).await;
    }
    let done = Some(format!(
        "{} What you changed below is not saved yet.",
        flash.message
    ));
    let edit = Edit {
        done,
        ..Edit::as_posted(after, posted, before.version)
    };
    edit.answer(visit, StatusCode::OK).await
}
