//! The log as it happens: `…/deliveries/live`.

use axum::{
    extract::{Path, RawQuery},
    response::Response,
};
use leptos::prelude::*;

use super::Entries;
use crate::{
    domain::{AccountId, Role, Timestamp},
    store::{DeliveryPage, StoreError},
    ui::{
        PageError, Ui,
        live::{Watched, Watcher},
        pages::webhook_edit::parse_id,
        query::LogQuery,
    },
};

pub async fn of_all(watcher: Watcher, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    watcher.watch(LogQuery::parse(&query.unwrap_or_default(), None))
}

pub async fn of_one(
    watcher: Watcher,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    watcher.require_webhook(&id).await?;
    watcher.watch(LogQuery::parse(&query.unwrap_or_default(), Some(id)))
}

impl Watched for LogQuery {
    type Seen = DeliveryPage;

    const LEAST: Role = Role::Viewer;

    async fn look(&self, ui: &Ui, account: &AccountId) -> Result<DeliveryPage, StoreError> {
        ui.store.list_deliveries(account, &self.filter).await
    }

    fn render(&self, log: DeliveryPage, now: Timestamp) -> AnyView {
        view! { <Entries query=self.clone() log now/> }.into_any()
    }
}
