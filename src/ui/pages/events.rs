//! `/integrations/webhook/events`: everything that was received, whether somebody wanted it or not.

use axum::response::Response;
use leptos::prelude::*;

use crate::{
    domain::{Place, ReceivedEvent, Timestamp},
    store::EventPage,
    ui::{
        PageError,
        components::{
            count::counted,
            day_table::DayTable,
            empty_state::EmptyState,
            event_types::EventTypeFilter,
            pagination::LogPages,
            select::{Select, any_or},
            time_ago::{TimeOfDay, by_day},
            time_range::TimeRange,
        },
        paths,
        query::EventsQuery,
        render::Page,
        shell::Section,
        visit::Visit,
    },
};

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    let query = EventsQuery::parse(&visit.query);
    let events = visit
        .ui
        .store
        .list_events(&visit.user.account_id, &query.0)
        .await?;
    let now = visit.now;
    let page = Page::new("Events", Section::Events);
    Ok(visit.page(page, || view! { <EventsScreen query events now/> }.into_any()))
}

#[component]
fn EventsScreen(query: EventsQuery, events: EventPage, now: Timestamp) -> impl IntoView {
    let older = events.next.clone().map(|next| starting_at(&query, Some(next)));
    let newest = query.0.before.is_some().then(|| starting_at(&query, None));
    let contents = if events.events.is_empty() {
        view! { <Nothing query=query.clone() more=older.is_some()/> }.into_any()
    } else {
        view! { <Days events=events.events now/> }.into_any()
    };
    view! {
        <div class="heading">
            <div>
                <h1>"Events"</h1>
                <p class="heading__text">"Everything that happened, and to how many webhooks it went."</p>
            </div>
        </div>
        <EventFilters query/>
        {contents}
        <LogPages newest older/>
    }
}

fn starting_at(query: &EventsQuery, before: Option<Place>) -> String {
    let mut query = query.clone();
    query.0.before = before;
    query.href()
}

#[component]
fn EventFilters(query: EventsQuery) -> impl IntoView {
    let clear = query.is_filtered().then(|| {
        view! { <a class="filters__clear" href=paths::EVENTS>"Clear filters"</a> }
    });
    let filter = query.0;
    view! {
        <form class="filters" method="get" action=paths::EVENTS role="search">
            <EventTypeFilter id="filter-type" name="type" chosen=filter.event_type/>
            <Select
                id="filter-sent"
                name="sent"
                label="Sent"
                choices=any_or("To any number", [("no", "To no webhook")])
                chosen=if filter.unsent { "no" } else { "" }
            />
            <TimeRange since=filter.since until=filter.until/>
            <button class="button" type="submit">"Apply"</button>
            {clear}
        </form>
    }
}

#[component]
fn Nothing(query: EventsQuery, more: bool) -> impl IntoView {
    if more {
        let text = "None of the newest events fits these filters. “Older” goes on looking.";
        view! { <EmptyState title="Nothing yet" text/> }.into_any()
    } else if query.is_filtered() {
        view! {
            <EmptyState title="Nothing matches" text="No event fits these filters.">
                <a class="button" href=paths::EVENTS>"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else if query.0.before.is_some() {
        view! {
            <EmptyState title="Nothing older" text="This is where the record begins.">
                <a class="button" href=paths::EVENTS>"Newest"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        let text = "Every chat, message and insight appears here as soon as it happens, with what was sent of it, or why \
                    nothing was.";
        view! { <EmptyState title="No events yet" text/> }.into_any()
    }
}

#[component]
fn Days(events: Vec<ReceivedEvent>, now: Timestamp) -> impl IntoView {
    let days = by_day(events, now, |event| event.received_at);
    let days = days.into_iter().enumerate().map(|(index, (day, events))| {
        let rows = events.into_iter().map(|event| view! { <Row event/> }).collect_view();
        view! { <DayTable index day class="table table--events" columns=&["Received", "Event", "Sent to"]>{rows}</DayTable> }
    });
    days.collect_view()
}

#[component]
fn Row(event: ReceivedEvent) -> impl IntoView {
    let sent = match event.deliveries {
        0 => view! { <span class="quiet">"No webhook"</span> }.into_any(),
        n => sent_to(n).into_any(),
    };
    view! {
        <tr role="row" class="row">
            <td role="cell" class="row__time"><TimeOfDay at=event.received_at/></td>
            <th role="rowheader" scope="row" class="row__event">
                <code class="event">{event.event_type.as_str()}</code>
                <a class="row__link row__id" href=paths::event(&event.id)>{event.id.to_string()}</a>
            </th>
            <td role="cell" class="row__sent">{sent}</td>
        </tr>
    }
}

/// `1 webhook`, `3 webhooks`
pub fn sent_to(count: u32) -> String {
    counted(count.into(), "webhook", "webhooks")
}
