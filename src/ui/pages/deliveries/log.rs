//! `/integrations/webhook/deliveries` and `…/{id}/deliveries`: the log of all webhooks, or of one.

mod filters;
pub mod live;

use axum::response::Response;
use leptos::prelude::*;

use self::filters::LogFilters;
use crate::{
    domain::{Delivery, DeliveryId, DeliveryStatus, Role, Timestamp, Webhook, WebhookId},
    store::DeliveryPage,
    ui::{
        PageError,
        components::{
            badge::DeliveryBadge,
            day_table::DayTable,
            list_page::{ListPage, NoEntries, Position, Words},
            time_ago::{TimeAgo, TimeOfDay, by_day},
        },
        islands::live_part::LivePart,
        layout::{document::Page, shell::Section},
        pages::deliveries::health::{Health, HealthSection},
        paths,
        request::{query::LogQuery, visit::Visit},
    },
};

const WORDS: Words = Words {
    entry: "delivery",
    entries: "deliveries",
    empty_title: "No deliveries yet",
    empty_text: "As soon as an event happens that a webhook wants, its delivery appears here: every attempt, with what was \
                 sent and what came back.",
};

pub async fn of_all(visit: Visit) -> Result<Response, PageError> {
    answer(&visit, LogQuery::parse(&visit.query, None), None).await
}

pub async fn of_one(
    paths::WebhookDeliveries { id }: paths::WebhookDeliveries,
    visit: Visit,
) -> Result<Response, PageError> {
    let webhook = visit.webhook(&id).await?;
    answer(&visit, LogQuery::parse(&visit.query, Some(id)), Some(webhook)).await
}

async fn answer(visit: &Visit, query: LogQuery, webhook: Option<Webhook>) -> Result<Response, PageError> {
    let account = visit.account();
    let log = account.list_deliveries(&query.filter).await?;
    let webhooks = if query.of_one {
        Vec::new()
    } else {
        account.webhook_names().await?
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
    let address = query.href();
    Ok(visit.list_page(page, address, || {
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
        view! { <a class="button" href=paths::recover(&webhook.id)>"Recover…"</a> }.into_any()
    });
    let text = match webhook {
        Some(webhook) => view! {
            "Of "<a href=paths::webhook(&webhook.id)>{webhook.name.to_string()}</a>", to "
            <span class="address">{webhook.url.to_string()}</span>
        }
        .into_any(),
        None => "Every event for every webhook, and what became of it.".into_any(),
    };
    let position = position(&query, &log);
    // What is older, or earlier than some moment, does not change any more.
    let changes = query.filter.before.is_none() && query.filter.until.is_none();
    // With other filters it is another stream, and so another element.
    let live = changes.then(|| view! { <div id=format!("live-{}", query.href())><LivePart/></div> });
    let health = health.map(|health| view! { <HealthSection health now/> }.into_any());
    let filters = view! { <LogFilters query=query.clone() webhooks/> }.into_any();
    view! {
        <ListPage title="Deliveries" text actions=recover above=health filters position>
            {live}
            <div id="live"><Entries query log now/></div>
        </ListPage>
    }
}

fn position(query: &LogQuery, log: &DeliveryPage) -> Position {
    let starting_at = |before: Option<DeliveryId>| {
        let mut query = query.clone();
        query.filter.before = before;
        query.href()
    };
    Position {
        everything: query.path(),
        filtered: query.is_filtered(),
        newest: query.filter.before.is_some().then(|| starting_at(None)),
        older: log.next.clone().map(|next| starting_at(Some(next))),
    }
}

/// What the live log replaces.
#[component]
fn Entries(query: LogQuery, log: DeliveryPage, now: Timestamp) -> impl IntoView {
    if log.deliveries.is_empty() {
        view! { <NoEntries position=position(&query, &log) words=WORDS/> }.into_any()
    } else {
        view! { <Days deliveries=log.deliveries of_one=query.of_one now/> }.into_any()
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
    let result = delivery.last_outcome.map(|outcome| format!(" · {outcome}"));
    let next = delivery
        .next_attempt_at
        .filter(|_| delivery.status == DeliveryStatus::Pending);
    let next = next.map(|at| view! { <span class="quiet">" · next "<TimeAgo at now/></span> });
    view! {
        <tr id=format!("row-{}", delivery.id) role="row" class="row">
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
