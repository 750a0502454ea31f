//! `/integrations/webhook/{id}`: the dialog “Edit Webhook”.

mod conflict;
mod dialog;
mod secret_panel;

use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use self::dialog::EditDialog;
use super::{webhook_form::FormState, webhooks::show_under};
use crate::{
    domain::{Role, Secret, Webhook, WebhookId, WebhookStatus},
    ui::{PageError, flash::Flash, form::Posted, paths, visit::Visit},
    webhooks::{Draft, WebhookError},
};

/// What the dialog shows.
pub struct Edit {
    /// As it is stored.
    pub webhook: Webhook,
    pub form: FormState,
    /// The version that a save will be based on.
    pub version: i64,
    /// Somebody else saved it since the form was opened, and this is the first that its user hears of it.
    pub conflict: bool,
    /// The secret, after it was asked for.
    pub secret: Option<ShownSecret>,
    /// What was done besides saving.
    pub done: Option<String>,
}

pub struct ShownSecret {
    pub secret: Secret,
    pub is_new: bool,
}

impl Edit {
    /// The form with what is stored.
    pub fn of(webhook: Webhook) -> Self {
        let (form, version) = (FormState::new(stored(&webhook)), webhook.version);
        Self {
            webhook,
            form,
            version,
            conflict: false,
            secret: None,
            done: None,
        }
    }

    /// The form as it was posted to another operation on the same webhook, which moved it from version `before` on:
    /// what was typed is still there, and a save is still based on what its user has seen.
    pub fn as_posted(webhook: Webhook, posted: &Posted, before: i64) -> Self {
        let seen = posted.version().filter(|seen| *seen != before);
        let version = seen.unwrap_or(webhook.version);
        Self {
            form: FormState::new(posted.draft()),
            version,
            ..Self::of(webhook)
        }
    }

    pub async fn answer(self, visit: &Visit, status: StatusCode) -> Response {
        let (now, may_edit, may_test) = (visit.now, visit.may(Role::Admin), visit.may(Role::Member));
        let held = if self.webhook.status == WebhookStatus::Paused {
            let (account, id) = (&visit.user.account_id, &self.webhook.id);
            // Without the number the webhook can be resumed all the same.
            let open = visit.ui.store.open_deliveries(account, id).await;
            open.unwrap_or_default().held
        } else {
            0
        };
        show_under(visit, "Edit Webhook", status, |query| {
            view! { <EditDialog edit=self held query may_edit may_test now/> }.into_any()
        })
        .await
    }
}

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let webhook = load(&visit, &id).await?;
    Ok(Edit::of(webhook).answer(&visit, StatusCode::OK).await)
}

pub async fn save(visit: Visit, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    let draft = posted.draft();
    match visit
        .ui
        .webhooks
        .edit(&visit.actor(), &id, &draft, posted.version())
        .await
    {
        Ok(webhook) => {
            let list = visit.list_query().on(paths::LIST);
            Ok(visit.leave(Flash::done(&webhook, "saved"), &list).await)
        }
        Err(WebhookError::Stale(current)) => {
            let edit = Edit {
                form: FormState::new(draft),
                conflict: true,
                ..Edit::of(*current)
            };
            Ok(edit.answer(&visit, StatusCode::CONFLICT).await)
        }
        Err(error) => {
            let (status, form) = FormState::refused(draft, error)?;
            let webhook = load(&visit, id.as_str()).await?;
            let version = posted.version().unwrap_or(webhook.version);
            Ok(Edit {
                form,
                version,
                ..Edit::of(webhook)
            }
            .answer(&visit, status)
            .await)
        }
    }
}

/// The dialog, for those who ask for an address that only takes a form.
pub async fn instead(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    Ok(Redirect::to(&visit.list_query().on(&paths::webhook(&id))).into_response())
}

pub fn parse_id(id: &str) -> Result<WebhookId, PageError> {
    id.parse().map_err(|_| PageError::NotFound)
}

pub async fn load(visit: &Visit, id: &str) -> Result<Webhook, PageError> {
    let id = parse_id(id)?;
    visit
        .ui
        .store
        .webhook(&visit.user.account_id, &id)
        .await?
        .ok_or(PageError::NotFound)
}

/// Whether the form holds what is not saved yet.
pub fn is_unsaved(webhook: &Webhook, draft: &Draft) -> bool {
    let stored = stored(webhook);
    // The order of the ticked boxes is that of the form, and so is that of the stored ones.
    stored.url != draft.url.trim()
        || stored.name != draft.name.trim()
        || stored.events != draft.events
        || !draft.secret.trim().is_empty()
}

fn stored(webhook: &Webhook) -> Draft {
    Draft {
        url: webhook.url.to_string(),
        name: webhook.name.to_string(),
        events: webhook.events.iter().map(|event| event.to_string()).collect(),
        ..Draft::default()
    }
}
