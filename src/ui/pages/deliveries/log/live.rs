//! The log as it happens: `…/deliveries/live`.

use axum::{extract::RawQuery, response::Response};
use leptos::prelude::*;

use crate::{
    domain::{AccountId, Role, Timestamp},
    store::{DeliveryPage, StoreError},
    ui::{
        PageError, Ui,
        layout::live::{Watched, Watcher},
        pages::deliveries::log::Entries,
        paths,
        request::query::LogQuery,
    },
};

pub async fn of_all(watcher: Watcher, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    watcher.watch(LogQuery::parse(&query.unwrap_or_default(), None))
}

pub async fn of_one(
    paths::WebhookDeliveriesLive { id }: paths::WebhookDeliveriesLive,
    watcher: Watcher,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    watcher.require_webhook(&id).await?;
    watcher.watch(LogQuery::parse(&query.unwrap_or_default(), Some(id)))
}

impl Watched for LogQuery {
    type Seen = DeliveryPage;

    const LEAST: Role = Role::Viewer;

    async fn look(&self, ui: &Ui, account: &AccountId) -> Result<DeliveryPage, StoreError> {
        ui.accounts.of(account).list_deliveries(&self.filter).await
    }

    fn render(&self, log: DeliveryPage, now: Timestamp) -> AnyView {
        view! { <Entries query=self.clone() log now/> }.into_any()
    }
}
