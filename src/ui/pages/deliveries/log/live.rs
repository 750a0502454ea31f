//! `…/deliveries/live`: the live delivery log.

use axum::{extract::RawQuery, response::Response};
use leptos::prelude::*;

use crate::{
    domain::{AccountId, Role, Timestamp},
    store::{DeliveryPage, StoreError},
    ui::{
        PageError, Ui,
        layout::live::{LiveFragment, LiveRequest},
        pages::deliveries::log::Entries,
        paths,
        request::query::LogQuery,
    },
};

pub async fn stream_all(request: LiveRequest, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    request.stream(LogQuery::parse(&query.unwrap_or_default(), None))
}

pub async fn stream_webhook(
    paths::WebhookDeliveriesLive { id }: paths::WebhookDeliveriesLive,
    request: LiveRequest,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    request.require_webhook(&id).await?;
    request.stream(LogQuery::parse(&query.unwrap_or_default(), Some(id)))
}

impl LiveFragment for LogQuery {
    type Snapshot = DeliveryPage;

    const MIN_ROLE: Role = Role::Viewer;

    async fn poll(&self, ui: &Ui, account: &AccountId) -> Result<DeliveryPage, StoreError> {
        ui.accounts.of(account).list_deliveries(&self.filter).await
    }

    fn render(&self, log: DeliveryPage, now: Timestamp) -> AnyView {
        view! { <Entries query=self.clone() log now/> }.into_any()
    }
}
