//! `/integrations/webhook/events`: all received events, whether or not a webhook was subscribed to them.

use axum::response::Response;
use leptos::prelude::*;

use crate::{
    domain::{EventCursor, ReceivedEvent, Timestamp},
    store::EventPage,
    ui::{
        PageError,
        components::{
            count::pluralize,
            day_table::DayTable,
            event_types::EventTypeFilter,
            list_page::{FilterForm, ListPage, LogNavigation, LogTexts, NoEntries},
            select::{Select, any_or},
            time_ago::{TimeOfDay, group_by_day},
            time_range::TimeRange,
        },
        layout::{document::Page, shell::Section},
        paths,
        request::{context::RequestContext, query::EventsQuery},
    },
};

const TEXTS: LogTexts = LogTexts {
    entries: "events",
    empty_title: "No events yet",
    empty_text: "Every chat, message and insight appears here when it is received, with the outcome for each webhook.",
};

pub async fn show(ctx: RequestContext) -> Result<Response, PageError> {
    let query = EventsQuery::parse(&ctx.query);
    let events = if query.invalid.match_nothing() {
        EventPage {
            events: Vec::new(),
            next: None,
        }
    } else {
        ctx.account().list_events(&query.filter).await?
    };
    let now = ctx.now;
    let page = Page::new("Events", Section::Events);
    let address = query.href();
    Ok(ctx.render_list_page(page, address, || {
        view! { <EventsScreen query events now/> }.into_any()
    }))
}

#[component]
fn EventsScreen(query: EventsQuery, events: EventPage, now: Timestamp) -> impl IntoView {
    let starting_at = |before: Option<EventCursor>| {
        let mut query = query.clone();
        query.filter.before = before;
        query.href()
    };
    let navigation = LogNavigation {
        unfiltered: paths::EVENTS.to_owned(),
        filtered: query.is_filtered(),
        newest: query.filter.before.is_some().then(|| starting_at(None)),
        older: events.next.map(|next| starting_at(Some(next))),
    };
    let contents = if events.events.is_empty() {
        view! { <NoEntries navigation=navigation.clone() texts=TEXTS/> }.into_any()
    } else {
        view! { <Days events=events.events now/> }.into_any()
    };
    let text = "Every event that was received, and how many webhooks it was sent to.".into_any();
    let filters = view! { <EventFilters query/> }.into_any();
    view! { <ListPage title="Events" text filters navigation>{contents}</ListPage> }
}

#[component]
fn EventFilters(query: EventsQuery) -> impl IntoView {
    let filtered = query.is_filtered();
    let (filter, invalid) = (query.filter, query.invalid);
    let unsent = invalid.shown("sent", filter.unsent.then_some("no"));
    view! {
        <FilterForm action=paths::EVENTS filtered>
            <EventTypeFilter id="filter-type" name="type" chosen=filter.event_type invalid=invalid.clone()/>
            <Select
                id="filter-sent"
                name="sent"
                label="Sent to"
                choices=any_or("Any webhooks", [("no", "No webhooks")])
                chosen=unsent
            />
            <TimeRange since=filter.since until=filter.until invalid/>
        </FilterForm>
    }
}

#[component]
fn Days(events: Vec<ReceivedEvent>, now: Timestamp) -> impl IntoView {
    let days = group_by_day(events, now, |event| event.received_at);
    let days = days.into_iter().enumerate().map(|(index, (day, events))| {
        let rows = events.into_iter().map(|event| view! { <Row event/> }).collect_view();
        view! { <DayTable index day class="table table--events" columns=&["Received", "Event", "Sent to"]>{rows}</DayTable> }
    });
    days.collect_view()
}

#[component]
fn Row(event: ReceivedEvent) -> impl IntoView {
    let sent = match event.deliveries {
        0 => view! { <span class="quiet">"No webhooks"</span> }.into_any(),
        n => pluralize(n.into(), "webhook", "webhooks").into_any(),
    };
    view! {
        <tr id=format!("row-{}", event.id) role="row" class="row">
            <td role="cell" class="row__time"><TimeOfDay at=event.received_at/></td>
            <th role="rowheader" scope="row" class="row__event">
                <code class="event">{event.event_type.as_str()}</code>
                <a class="row__link row__id" href=paths::event(&event.id)>{event.id.to_string()}</a>
            </th>
            <td role="cell" class="row__sent">{sent}</td>
        </tr>
    }
}
