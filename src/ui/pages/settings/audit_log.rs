//! `/settings/audit-log`: who did what to what, when, and from where.

mod changes;
pub mod export;
mod words;

use axum::response::Response;
use leptos::prelude::*;

use self::{changes::Changes, words::label};
use crate::{
    domain::{AuditEntry, AuditPlace, Timestamp},
    store::{AuditChoices, AuditFilter, AuditPage},
    ui::{
        PageError,
        components::{
            day_table::DayTable,
            list_page::{FilterForm, ListPage, NoEntries, Position, Words},
            select::{Select, any_or},
            time_ago::{TimeOfDay, by_day},
            time_range::TimeRange,
        },
        layout::{document::Page, shell::Section},
        paths,
        request::{query::AuditQuery, visit::Visit},
    },
};

const WORDS: Words = Words {
    entry: "entry",
    entries: "entries",
    empty_title: "Nothing has happened yet",
    empty_text: "Every sign-in and every change of a webhook, a key or a user is written down here.",
};

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    let query = AuditQuery::parse(&visit.query);
    let account = visit.account();
    let log = account.audit_log(&query.0).await?;
    let choices = account.audit_choices().await?;
    let now = visit.now;
    let page = Page::new("Audit log", Section::AuditLog);
    let address = query.href();
    Ok(visit.list_page(page, address, || {
        view! { <AuditScreen query log choices now/> }.into_any()
    }))
}

#[component]
fn AuditScreen(query: AuditQuery, log: AuditPage, choices: AuditChoices, now: Timestamp) -> impl IntoView {
    let starting_at = |before: Option<AuditPlace>| {
        let mut query = query.clone();
        query.0.before = before;
        query.href()
    };
    let position = Position {
        everything: paths::AUDIT_LOG.to_owned(),
        filtered: query.is_filtered(),
        newest: query.0.before.is_some().then(|| starting_at(None)),
        older: log.next.map(|next| starting_at(Some(next))),
    };
    let contents = if log.entries.is_empty() {
        view! { <NoEntries position=position.clone() words=WORDS/> }.into_any()
    } else {
        view! { <Days entries=log.entries now/> }.into_any()
    };
    let text = "Who did what, when, and from where. Nothing here is ever changed.".into_any();
    let actions = view! { <a class="button" href=query.export()>"Export as JSON lines"</a> }.into_any();
    let filters = view! { <AuditFilters query choices/> }.into_any();
    view! { <ListPage title="Audit log" text actions=Some(actions) filters position>{contents}</ListPage> }
}

#[component]
fn AuditFilters(query: AuditQuery, choices: AuditChoices) -> impl IntoView {
    let filtered = query.is_filtered();
    let filter = query.0;
    let actors = with_chosen(choices.actors, filter.actor.as_ref());
    let actors = actors.into_iter().map(|actor| (actor.code(), actor.to_string()));
    let actions = with_chosen(choices.actions, filter.action.as_ref());
    let actions = actions.into_iter().map(|action| {
        let text = label(&action);
        (action, text)
    });
    view! {
        <FilterForm action=paths::AUDIT_LOG filtered>
            <Select
                id="filter-actor"
                name="actor"
                label="Who"
                choices=any_or("Anybody", actors)
                chosen=filter.actor.map(|actor| actor.code()).unwrap_or_default()
            />
            <Select
                id="filter-action"
                name="action"
                label="What"
                choices=any_or("Anything", actions)
                chosen=filter.action.unwrap_or_default()
            />
            <div class="filter">
                <label for="filter-subject">"To what (id)"</label>
                <input
                    id="filter-subject"
                    name="subject"
                    type="text"
                    value=filter.subject
                    placeholder="wh_…"
                    autocomplete="off"
                    spellcheck="false"
                />
            </div>
            <TimeRange since=filter.since until=filter.until/>
        </FilterForm>
    }
}

/// What is chosen already can be chosen, also if it is one of too many to list.
fn with_chosen<T: Clone + PartialEq>(mut choices: Vec<T>, chosen: Option<&T>) -> Vec<T> {
    if let Some(chosen) = chosen.filter(|chosen| !choices.contains(chosen)) {
        choices.push(chosen.clone());
    }
    choices
}

#[component]
fn Days(entries: Vec<AuditEntry>, now: Timestamp) -> impl IntoView {
    let days = by_day(entries, now, |entry| entry.at);
    let days = days.into_iter().enumerate().map(|(index, (day, entries))| {
        let rows = entries
            .into_iter()
            .map(|entry| view! { <Row entry/> })
            .collect_view();
        view! { <DayTable index day class="table table--audit" columns=COLUMNS>{rows}</DayTable> }
    });
    days.collect_view()
}

const COLUMNS: &[&str] = &["Time", "Who", "What", "From"];

/// Who and to what lead to all else that they did, and that was done to it.
#[component]
fn Row(entry: AuditEntry) -> impl IntoView {
    let by_actor = only(|filter| filter.actor = Some(entry.actor.clone()));
    let on_subject = only(|filter| filter.subject = Some(entry.subject.clone()));
    let name = match entry.subject_name {
        Some(name) => view! { <span class="audit__name">{name}</span> }.into_any(),
        None => view! { <code class="audit__name">{entry.subject}</code> }.into_any(),
    };
    let from = match entry.address {
        Some(address) => view! { {address} }.into_any(),
        None => view! { <span class="quiet">"–"</span> }.into_any(),
    };
    view! {
        <tr id=format!("row-{}", entry.id) role="row" class="row">
            <td role="cell" class="row__time"><TimeOfDay at=entry.at/></td>
            <td role="cell" class="audit__who"><a class="audit__filter" href=by_actor>{entry.actor.to_string()}</a></td>
            <th role="rowheader" scope="row" class="audit__what">
                <span class="audit__action">{label(&entry.action)}</span>
                " "
                <a class="audit__filter" href=on_subject>{name}</a>
            </th>
            <td role="cell" class="audit__from">{from}</td>
            <Changes details=entry.details/>
        </tr>
    }
}

/// The log with one filter.
fn only(set: impl FnOnce(&mut AuditFilter)) -> String {
    let mut query = AuditQuery::default();
    set(&mut query.0);
    query.href()
}
