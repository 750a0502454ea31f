//! `/integrations/webhook/deliveries` and `…/{id}/deliveries`: the log of all webhooks, or of one.

use axum::{extract::Path, response::Response};
use leptos::prelude::*;

use super::webhook_edit::{load, parse_id};
use crate::{
    domain::{Delivery, DeliveryStatus, EventType, Timestamp, Webhook},
    store::DeliveryPage,
    ui::{
        PageError,
        components::{
            badge::DeliveryBadge,
            empty_state::EmptyState,
            select::Select,
            time_ago::{TimeAgo, TimeOfDay, day},
        },
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
    let log = visit
        .ui
        .store
        .list_deliveries(&visit.user.account_id, &query.0)
        .await?;
    let now = visit.now;
    let title = webhook
        .as_ref()
        .map(|webhook| format!("Deliveries of {}", webhook.name));
    let page = Page::new(title.as_deref().unwrap_or("Deliveries"), Section::Deliveries);
    Ok(visit.page(page, || view! { <LogScreen webhook query log now/> }.into_any()))
}

#[component]
fn LogScreen(webhook: Option<Webhook>, query: LogQuery, log: DeliveryPage, now: Timestamp) -> impl IntoView {
    let of_one = webhook.is_some();
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
        .more
        .then(|| log.deliveries.last().map(|last| older_than(&query, last)))
        .flatten();
    let newest = query.0.before.is_some().then(|| newest(&query));
    let contents = if log.deliveries.is_empty() {
        view! { <Nothing query=query.clone()/> }.into_any()
    } else {
        view! { <Days deliveries=log.deliveries of_one now/> }.into_any()
    };
    view! {
        <div class="heading"><div><h1>"Deliveries"</h1>{subject}</div></div>
        <LogFilters query/>
        {contents}
        <nav class="pages" aria-label="Pages">
            {newest.map(|href| view! { <a class="button button--small" href=href>"Newest"</a> })}
            {older.map(|href| view! { <a class="button button--small" href=href>"Older"</a> })}
        </nav>
    }
}

fn older_than(query: &LogQuery, last: &Delivery) -> String {
    let mut older = query.clone();
    older.0.before = Some(last.id.clone());
    older.href()
}

fn newest(query: &LogQuery) -> String {
    let mut newest = query.clone();
    newest.0.before = None;
    newest.href()
}

#[component]
fn LogFilters(query: LogQuery) -> impl IntoView {
    let statuses = [("", "Any status")].into_iter();
    let statuses = statuses
        .chain(DeliveryStatus::ALL.map(|status| (status.as_str(), status.label())))
        .collect();
    let types = [("", "Any event")].into_iter();
    let types = types
        .chain(EventType::ALL.map(|event| (event.as_str(), event.as_str())))
        .collect();
    let action = paths::deliveries(query.0.webhook_id.as_ref());
    let clear = query.is_filtered().then(|| {
        view! { <a class="filters__clear" href=action.clone()>"Clear filters"</a> }
    });
    let filter = query.0;
    view! {
        <form class="filters" method="get" action=action.clone() role="search">
            <Select
                id="filter-status"
                name="status"
                label="Status"
                choices=statuses
                chosen=filter.status.map_or("", DeliveryStatus::as_str)
            />
            <Select
                id="filter-type"
                name="type"
                label="Event type"
                choices=types
                chosen=filter.event_type.map_or("", EventType::as_str)
            />
            <div class="filter">
                <label for="filter-event">"Event id"</label>
                <input
                    id="filter-event"
                    name="event"
                    type="text"
                    value=filter.event_id.map(|id| id.to_string())
                    placeholder="evt_…"
                    autocomplete="off"
                    spellcheck="false"
                />
            </div>
            <button class="button" type="submit">"Apply"</button>
            {clear}
        </form>
    }
}

#[component]
fn Nothing(query: LogQuery) -> impl IntoView {
    let everything = paths::deliveries(query.0.webhook_id.as_ref());
    if query.is_filtered() {
        view! {
            <EmptyState title="Nothing matches" text="No delivery fits these filters.">
                <a class="button" href=everything>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else if query.0.before.is_some() {
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
    let days = by_day(deliveries, now)
        .into_iter()
        .enumerate()
        .map(|(index, (day, deliveries))| {
            let id = format!("day-{index}");
            let (heading, table) = (id.clone(), id.clone());
            let rows = deliveries
                .into_iter()
                .map(|delivery| view! { <Row delivery of_one now/> });
            view! {
                <section class="day" aria-labelledby=id>
                    <h2 id=heading>{day}</h2>
                    <table class="table table--deliveries" role="table" aria-labelledby=table>
                        <thead role="rowgroup">
                            <tr role="row">
                                <th role="columnheader" scope="col">"Time"</th>
                                <th role="columnheader" scope="col">"Status"</th>
                                <th role="columnheader" scope="col">"Event"</th>
                                <th role="columnheader" scope="col">"Webhook"</th>
                                <th role="columnheader" scope="col">"Attempts"</th>
                            </tr>
                        </thead>
                        <tbody role="rowgroup">{rows.collect_view()}</tbody>
                    </table>
                </section>
            }
        });
    days.collect_view()
}

/// In their order, under the name of the day on which each was made.
fn by_day(deliveries: Vec<Delivery>, now: Timestamp) -> Vec<(String, Vec<Delivery>)> {
    let mut days: Vec<(String, Vec<Delivery>)> = Vec::new();
    for delivery in deliveries {
        let name = day(delivery.created_at, now);
        match days.last_mut() {
            Some((last, of_day)) if *last == name => of_day.push(delivery),
            _ => days.push((name, vec![delivery])),
        }
    }
    days
}

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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn delivery(created_at: Timestamp) -> Delivery {
        Delivery {
            id: "dlv_1".parse().unwrap(),
            webhook_id: "wh_1".parse().unwrap(),
            webhook_name: "Orders".into(),
            webhook_deleted: false,
            event_id: "evt_1".parse().unwrap(),
            event_type: EventType::Chat,
            status: DeliveryStatus::Pending,
            attempts: 0,
            created_at,
            next_attempt_at: None,
            last_result: None,
            updated_at: created_at,
        }
    }

    #[test]
    fn deliveries_stand_under_their_day_in_their_order() {
        let now = Timestamp::from_millis(1_795_428_000_000);
        let hours_ago = [0, 9, 11, 12, 40];
        let deliveries = hours_ago.map(|hours| delivery(now.minus(Duration::from_secs(hours * 3600))));
        let days: Vec<_> = by_day(deliveries.into(), now)
            .into_iter()
            .map(|(day, of_day)| (day, of_day.len()))
            .collect();
        assert_eq!(
            days,
            [
                ("Today".into(), 2),
                ("Yesterday".into(), 2),
                ("Saturday, 21 November 2026".into(), 1)
            ]
        );
    }
}
