//! `…/recover/live`: the live progress of recoveries.

use axum::response::Response;
use leptos::prelude::*;

use crate::{
    domain::{AccountId, Recovery, Timestamp, WebhookId},
    store::StoreError,
    ui::{
        PageError, Ui,
        layout::live::{LiveFragment, LiveRequest},
        pages::webhooks::recover::{MAX_RECOVERIES, Recoveries},
        paths,
    },
};

pub async fn show(
    paths::WebhookRecoverLive { id }: paths::WebhookRecoverLive,
    request: LiveRequest,
) -> Result<Response, PageError> {
    request.require_webhook(&id).await?;
    request.respond(RecoveriesOf(id)).await
}

struct RecoveriesOf(WebhookId);

impl LiveFragment for RecoveriesOf {
    type Snapshot = Vec<Recovery>;

    async fn poll(&self, ui: &Ui, account: &AccountId) -> Result<Vec<Recovery>, StoreError> {
        ui.accounts
            .of(account)
            .recoveries(&self.0, None, MAX_RECOVERIES)
            .await
    }

    fn render(&self, recoveries: Vec<Recovery>, now: Timestamp) -> AnyView {
        view! { <Recoveries recoveries now/> }.into_any()
    }
}
