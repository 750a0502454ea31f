//! `/integrations/webhook/deliveries` and `…/{id}/deliveries`: the log of all webhooks, or of one.

mod filters;
pub mod health;
pub mod live;

use axum::{extract::Path, response::Response};
use leptos::prelude::*;

use self::{
    filters::LogFilters,
    health::{Health, HealthSection},
};
use super::webhook_edit::{load, parse_id};
use crate::{
    domain::{Delivery, DeliveryId, DeliveryStatus, Role, Timestamp, Webhook, WebhookId},
    store::DeliveryPage,
    ui::{
        PageError,
        components::{
            badge::DeliveryBadge,
            day_table::DayTable,
            empty_state::EmptyState,
            pagination::LogPages,
            time_ago::{TimeAgo, TimeOfDay, by_day},
        },
        islands::live_part::LivePart,
        paths,
        query::LogQuery,
        render::Page,
        shell::Section,
        visit::Visit,
    },
};

pub async fn of_all(visit: Visit) -> Result<Response, PageError> {
    answer(&visit, LogQuery::parse(&visit.query, None), None).await
}

pub async fn of_one(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let query = LogQuery::parse(&visit.query, Some(parse_id(&id)?));
    let webhook = load(&visit, &id).await?;
    answer(&visit, query, Some(webhook)).await
}

async fn answer(visit: &Visit, query: LogQuery, webhook: Option<Webhook>) -> Result<Response, PageError> {
    let (store, account) = (&visit.ui.store, &visit.user.account_id);
    let log = store.list_deliveries(account, &query.filter).await?;
    let webhooks = if query.of_one {
        Vec::new()
    } else {
        store.webhook_names(account).await?
    };
    let health = match webhook.as_ref().filter(|_| query.filter.before.is_none()) {
        Some(webhook) => Some(Health::load(visit, webhook).await?),
        None => None,
    };
    let (now, may_recover) = (visit.now, visit.may(Role::Member));
    let title = webhook
        .as_ref()
        .map(|webhook| format!("Deliveries of {}", webhook.name));
    let page = Page::new(title.as_deref().unwrap_or("Deliveries"), Section::Deliveries);
    Ok(visit.page(page.with_islands(), || {
        view! { <LogScreen webhook query log webhooks health may_recover now/> }.into_any()
    }))
}

#[component]
fn LogScreen(
    webhook: Option<Webhook>,
    query: LogQuery,
    log: DeliveryPage,
    webhooks: Vec<(WebhookId, String)>,
    health: Option<Health>,
    may_recover: bool,
    now: Timestamp,
) -> impl IntoView {
    let recover = webhook.as_ref().filter(|_| may_recover).map(|webhook| {
        view! { <a class="button" href=paths::recover(&webhook.id)>"Recover…"</a> }
    });
    let subject = match webhook {
        Some(webhook) => view! {
            <p class="heading__text">
                "Of "<a href=paths::webhook(&webhook.id)>{webhook.name.to_string()}</a>", to "
                <span class="address">{webhook.url.to_string()}</span>
            </p>
        }
        .into_any(),
        None => {
            view! { <p class="heading__text">"Every event for every webhook, and what became of it."</p> }
                .into_any()
        }
    };
    let older = log
        .next
        .as_ref()
        .map(|next| starting_at(&query, Some(next.clone())));
    // What is older, or earlier than some moment, does not change any more.
    let changes = query.filter.before.is_none() && query.filter.until.is_none();
    let newest = query.filter.before.is_some().then(|| starting_at(&query, None));
    view! {
        <div class="heading">
            <div><h1>"Deliveries"</h1>{subject}</div>
            {recover}
        </div>
        {health.map(|health| view! { <HealthSection health now/> })}
        <LogFilters query=query.clone() webhooks/>
        {changes.then(|| view! { <LivePart/> })}
        <div id="live"><Entries query log now/></div>
        <LogPages newest older/>
    }
}

/// What the live log replaces.
#[component]
fn Entries(query: LogQuery, log: DeliveryPage, now: Timestamp) -> impl IntoView {
    if log.deliveries.is_empty() {
        view! { <Nothing query more=log.next.is_some()/> }.into_any()
    } else {
        view! { <Days deliveries=log.deliveries of_one=query.of_one now/> }.into_any()
    }
}

fn starting_at(query: &LogQuery, before: Option<DeliveryId>) -> String {
    let mut query = query.clone();
    query.filter.before = before;
    query.href()
}

#[component]
fn Nothing(query: LogQuery, more: bool) -> impl IntoView {
    let everything = query.path();
    if more {
        let text = "None of the newest deliveries fits these filters. “Older” goes on looking.";
        view! { <EmptyState title="Nothing yet" text/> }.into_any()
    } else if query.is_filtered() {
        view! {
            <EmptyState title="Nothing matches" text="No delivery fits these filters.">
                <a class="button" href=everything>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else if query.filter.before.is_some() {
        view! {
            <EmptyState title="Nothing older" text="This is where the log begins.">
                <a class="button" href=everything>"Newest"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        let text = "As soon as an event happens that a webhook wants, its delivery appears here: every attempt, with \
                    what was sent and what came back.";
        view! { <EmptyState title="No deliveries yet" text/> }.into_any()
    }
}

#[component]
fn Days(deliveries: Vec<Delivery>, of_one: bool, now: Timestamp) -> impl IntoView {
    let days = by_day(deliveries, now, |delivery| delivery.created_at);
    let days = days.into_iter().enumerate().map(|(index, (day, deliveries))| {
        let rows = deliveries
            .into_iter()
            .map(|delivery| view! { <Row delivery of_one now/> });
        let rows = rows.collect_view();
        view! { <DayTable index day class="table table--deliveries" columns=COLUMNS>{rows}</DayTable> }
    });
    days.collect_view()
}

const COLUMNS: &[&str] = &["Time", "Status", "Event", "Webhook", "Attempts"];

#[component]
fn Row(delivery: Delivery, of_one: bool, now: Timestamp) -> impl IntoView {
    let webhook = if of_one {
        "row__webhook row__webhook--same"
    } else {
        "row__webhook"
    };
    let deleted = delivery
        .webhook_deleted
        .then(|| view! { <span class="quiet">" (deleted)"</span> });
    let attempts = match delivery.attempts {
        0 => "None yet".to_owned(),
        1 => "1".to_owned(),
        n => n.to_string(),
    };
    let result = delivery.last_result.map(|result| format!(" · {result}"));
    let next = delivery
        .next_attempt_at
        .filter(|_| delivery.status == DeliveryStatus::Pending);
    let next = next.map(|at| view! { <span class="quiet">" · next "<TimeAgo at now/></span> });
    view! {
        <tr role="row" class="row">
            <td role="cell" class="row__time"><TimeOfDay at=delivery.created_at/></td>
            <td role="cell" class="row__status"><DeliveryBadge status=delivery.status/></td>
            <th role="rowheader" scope="row" class="row__event">
                <code class="event">{delivery.event_type.as_str()}</code>
                <a class="row__link row__id" href=paths::delivery(&delivery.id)>{delivery.event_id.to_string()}</a>
            </th>
            <td role="cell" class=webhook>{delivery.webhook_name}{deleted}</td>
            <td role="cell" class="row__attempts">{attempts}{result}{next}</td>
        </tr>
    }
}
