//! `…/deliveries/live`: the live delivery log.

use axum::{extract::RawQuery, response::Response};
use leptos::prelude::*;

use crate::{
    domain::{AccountId, Timestamp},
    store::{DeliveryPage, StoreError},
    ui::{
        PageError, Ui,
        layout::live::{LiveFragment, LiveRequest},
        pages::deliveries::log::{Entries, load},
        paths,
        request::query::LogQuery,
    },
};

pub async fn show_all(request: LiveRequest, RawQuery(query): RawQuery) -> Result<Response, PageError> {
    let query = LogQuery::parse(&query.unwrap_or_default(), None);
    request.respond(query).await
}

pub async fn show_webhook(
    paths::WebhookDeliveriesLive { id }: paths::WebhookDeliveriesLive,
    request: LiveRequest,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    request.require_webhook(&id).await?;
    let query = LogQuery::parse(&query.unwrap_or_default(), Some(id));
    request.respond(query).await
}

impl LiveFragment for LogQuery {
    type Snapshot = DeliveryPage;

    async fn poll(&self, ui: &Ui, account: &AccountId) -> Result<DeliveryPage, StoreError> {
        load(&ui.accounts.of(account), self).await
    }

    fn render(&self, log: DeliveryPage, now: Timestamp) -> AnyView {
        view! { <Entries query=self.clone() log now/> }.into_any()
    }
}
