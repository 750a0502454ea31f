//! How far the recoveries of a webhook are: `…/recover/live`.

use axum::{extract::Path, response::Response};
use leptos::prelude::*;

use super::{LISTED, Recoveries};
use crate::{
    domain::{AccountId, Recovery, Role, Timestamp, WebhookId},
    store::StoreError,
    ui::{
        PageError, Ui,
        live::{Watched, Watcher},
        pages::webhook_edit::parse_id,
    },
};

pub async fn watch(watcher: Watcher, Path(id): Path<String>) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    watcher.require_webhook(&id).await?;
    watcher.watch(RecoveriesOf(id))
}

struct RecoveriesOf(WebhookId);

impl Watched for RecoveriesOf {
    type Seen = Vec<Recovery>;

    const LEAST: Role = Role::Member;

    async fn look(&self, ui: &Ui, account: &AccountId) -> Result<Vec<Recovery>, StoreError> {
        ui.store.recoveries(account, &self.0, None, LISTED).await
    }

    fn render(&self, recoveries: Vec<Recovery>, now: Timestamp) -> AnyView {
        view! { <Recoveries recoveries now/> }.into_any()
    }
}
