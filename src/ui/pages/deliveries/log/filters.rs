//! The filters of the delivery log.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{
    domain::{DeliveryStatus, WebhookId},
    ui::{
        components::{
            event_types::EventTypeFilter,
            list_page::FilterForm,
            select::{Select, any_or},
            time_range::TimeRange,
        },
        labels::Label,
        request::query::LogQuery,
    },
};

/// `webhooks` are the choices in the log of all webhooks.
#[component]
pub fn LogFilters(query: LogQuery, webhooks: Vec<(WebhookId, String)>) -> impl IntoView {
    let action = query.path();
    let filtered = query.is_filtered();
    let (filter, invalid) = (query.filter, query.invalid);
    let status = invalid.shown("status", filter.status.map(DeliveryStatus::as_str));
    let event = invalid.shown("event", filter.event_id.map(|id| id.to_string()));
    let statuses = DeliveryStatus::VARIANTS
        .iter()
        .map(|status| (status.as_str(), status.label()));
    let webhook = (!query.single_webhook && (!webhooks.is_empty() || invalid.get("webhook").is_some())).then(|| {
        let webhooks = webhooks.into_iter().map(|(id, name)| (id.to_string(), name));
        let chosen = invalid.shown("webhook", filter.webhook_id.map(|id| id.to_string()));
        view! {
            <Select id="filter-webhook" name="webhook" label="Webhook" choices=any_or("Any webhook", webhooks) chosen/>
        }
    });
    view! {
        <FilterForm action filtered>
            <Select
                id="filter-status"
                name="status"
                label="Status"
                choices=any_or("Any status", statuses)
                chosen=status
            />
            <EventTypeFilter id="filter-type" name="type" chosen=filter.event_type invalid=invalid.clone()/>
            {webhook}
            <div class="filter">
                <label for="filter-event">"Event ID"</label>
                <input
                    id="filter-event"
                    name="event"
                    type="text"
                    value=event
                    placeholder="evt_…"
                    autocomplete="off"
                    spellcheck="false"
                />
            </div>
            <TimeRange since=filter.since until=filter.until invalid/>
        </FilterForm>
    }
}
