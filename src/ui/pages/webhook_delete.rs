//! `/integrations/webhook/{id}/delete`: the confirmation.

use axum::{extract::Path, http::StatusCode, response::Response};
use leptos::prelude::*;

use super::{
    webhook_edit::{load, parse_id},
    webhooks::show_under,
};
use crate::{
    domain::Webhook,
    store::OpenDeliveries,
    ui::{
        PageError,
        components::{
            count::open_deliveries,
            dialog::{CANCEL, Dialog, Urgency},
        },
        flash::Flash,
        paths,
        query::ListQuery,
        visit::Visit,
    },
};

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let webhook = load(&visit, &id).await?;
    let open = visit
        .ui
        .store
        .open_deliveries(&visit.user.account_id, &webhook.id)
        .await?;
    let title = format!("Delete “{}”?", webhook.name);
    let dialog = |query| view! { <DeleteDialog webhook open query/> }.into_any();
    Ok(show_under(&visit, &title, StatusCode::OK, dialog).await)
}

/// When this answers, no request for the webhook is under way, and none will start.
pub async fn delete(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let deleted = visit
        .ui
        .webhooks
        .delete(&visit.actor(), &parse_id(&id)?, None)
        .await?;
    let flash = Flash::plain(format!("Webhook “{}” deleted.", deleted.name));
    Ok(visit.leave(flash, &visit.list_query().on(paths::LIST)).await)
}

#[component]
fn DeleteDialog(webhook: Webhook, open: OpenDeliveries, query: ListQuery) -> impl IntoView {
    let open = match open.pending + open.held {
        0 => "No delivery is pending.".to_owned(),
        1 => "1 delivery is pending and will be cancelled.".to_owned(),
        n if n > OpenDeliveries::COUNTED => {
            "More than 10,000 deliveries are pending and will be cancelled.".to_owned()
        }
        n => format!("{} are pending and will be cancelled.", open_deliveries(n)),
    };
    view! {
        <Dialog title=format!("Delete “{}”?", webhook.name) urgency=Urgency::Alert query=query.clone()>
            // On a small screen the text scrolls, also by keyboard.
            <div class="dialog__body" id="dialog-text" tabindex="0">
                <p>{open}</p>
                <p>"Once deleted, no calls will be made to "<span class="address">{webhook.url.to_string()}</span>"."</p>
            </div>
            <form id="confirm" method="post" action=query.on(&paths::delete(&webhook.id))></form>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL autofocus=true>"Cancel"</button>
                <button class="button button--danger-solid" type="submit" form="confirm">"Delete webhook"</button>
            </div>
        </Dialog>
    }
}
