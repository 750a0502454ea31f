//! How far the recoveries of a webhook are: `…/recover/live`.

use axum::response::Response;
use leptos::prelude::*;

use crate::{
    domain::{AccountId, Recovery, Role, Timestamp, WebhookId},
    store::StoreError,
    ui::{
        PageError, Ui,
        layout::live::{Watched, Watcher},
        pages::webhooks::recover::{LISTED, Recoveries},
        paths,
    },
};

pub async fn watch(
    paths::WebhookRecoverLive { id }: paths::WebhookRecoverLive,
    watcher: Watcher,
) -> Result<Response, PageError> {
    watcher.require_webhook(&id).await?;
    watcher.watch(RecoveriesOf(id))
}

struct RecoveriesOf(WebhookId);

impl Watched for RecoveriesOf {
    type Seen = Vec<Recovery>;

    const LEAST: Role = Role::Member;

    async fn look(&self, ui: &Ui, account: &AccountId) -> Result<Vec<Recovery>, StoreError> {
        ui.accounts.of(account).recoveries(&self.0, None, LISTED).await
    }

    fn render(&self, recoveries: Vec<Recovery>, now: Timestamp) -> AnyView {
        view! { <Recoveries recoveries now/> }.into_any()
    }
}
