//! `/settings/audit-log`: the audit log with its filters.

mod changes;
pub mod export;
mod labels;

use axum::response::Response;
use leptos::prelude::*;

use self::{changes::Changes, labels::action_label};
use crate::{
    domain::{AuditCursor, AuditEntry, Timestamp, UrlVisibility},
    store::{AccountStore, AuditChoices, AuditFilter, AuditPage, StoreError},
    ui::{
        PageError,
        components::{
            day_table::DayTable,
            list_page::{FilterForm, ListPage, LogNavigation, LogTexts, NoEntries},
            select::{Select, any_or},
            time_ago::{TimeOfDay, group_by_day},
            time_range::TimeRange,
        },
        layout::{document::Page, shell::Section},
        paths,
        request::{context::RequestContext, query::AuditQuery},
    },
};

const TEXTS: LogTexts = LogTexts {
    entries: "entries",
    empty_title: "No entries yet",
    empty_text: "Every sign-in and every change to a webhook, API key or user is recorded here.",
};

pub async fn show(ctx: RequestContext) -> Result<Response, PageError> {
    let query = AuditQuery::parse(&ctx.query);
    let account = ctx.account();
    let log = load(&account, &query).await?;
    let choices = account.audit_choices().await?;
    let (urls, now) = (ctx.url_visibility(), ctx.now);
    let page = Page::new("Audit log", Section::AuditLog);
    let address = query.href();
    Ok(ctx.render_list_page(page, address, || {
        view! { <AuditScreen query log choices urls now/> }.into_any()
    }))
}

/// Returns a page of the entries that match the query.
async fn load(account: &AccountStore<'_>, query: &AuditQuery) -> Result<AuditPage, StoreError> {
    if query.invalid.match_nothing() {
        return Ok(AuditPage {
            entries: Vec::new(),
            next: None,
        });
    }
    account.audit_log(&query.filter).await
}

#[component]
fn AuditScreen(
    query: AuditQuery,
    log: AuditPage,
    choices: AuditChoices,
    urls: UrlVisibility,
    now: Timestamp,
) -> impl IntoView {
    let starting_at = |before: Option<AuditCursor>| {
        let mut query = query.clone();
        query.filter.before = before;
        query.href()
    };
    let navigation = LogNavigation {
        unfiltered: paths::AUDIT_LOG.to_owned(),
        filtered: query.is_filtered(),
        newest: query.filter.before.is_some().then(|| starting_at(None)),
        older: log.next.map(|next| starting_at(Some(next))),
    };
    let contents = if log.entries.is_empty() {
        view! { <NoEntries navigation=navigation.clone() texts=TEXTS/> }.into_any()
    } else {
        view! { <Days entries=log.entries urls now/> }.into_any()
    };
    let text = "Who did what, when and from where. Entries are never changed.".into_any();
    let actions = view! { <a class="button" href=query.export_href()>"Export as JSON Lines"</a> }.into_any();
    let filters = view! { <AuditFilters query choices/> }.into_any();
    view! { <ListPage title="Audit log" text actions=Some(actions) filters navigation>{contents}</ListPage> }
}

#[component]
fn AuditFilters(query: AuditQuery, choices: AuditChoices) -> impl IntoView {
    let filtered = query.is_filtered();
    let (filter, invalid) = (query.filter, query.invalid);
    let actors = with_selected(choices.actors, filter.actor.as_ref());
    let actors = actors.into_iter().map(|actor| (actor.code(), actor.to_string()));
    let actions = with_selected(choices.actions, filter.action.as_ref());
    let actions = actions.into_iter().map(|action| {
        let text = action_label(&action);
        (action, text)
    });
    view! {
        <FilterForm action=paths::AUDIT_LOG filtered>
            <Select
                id="filter-actor"
                name="actor"
                label="Actor"
                choices=any_or("Any actor", actors)
                chosen=filter.actor.map(|actor| actor.code()).unwrap_or_default()
            />
            <Select
                id="filter-action"
                name="action"
                label="Action"
                choices=any_or("Any action", actions)
                chosen=filter.action.unwrap_or_default()
            />
            <div class="filter">
                <label for="filter-subject">"Subject ID"</label>
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
            <TimeRange since=filter.since until=filter.until invalid/>
        </FilterForm>
    }
}

/// Adds the selected value if it is missing, because the choices are limited in number.
fn with_selected<T: Clone + PartialEq>(mut choices: Vec<T>, selected: Option<&T>) -> Vec<T> {
    if let Some(selected) = selected.filter(|selected| !choices.contains(selected)) {
        choices.push(selected.clone());
    }
    choices
}

#[component]
fn Days(entries: Vec<AuditEntry>, urls: UrlVisibility, now: Timestamp) -> impl IntoView {
    let days = group_by_day(entries, now, |entry| entry.at);
    let days = days.into_iter().enumerate().map(|(index, (day, entries))| {
        let rows = entries
            .into_iter()
            .map(|entry| view! { <Row entry urls/> })
            .collect_view();
        view! { <DayTable index day class="table table--audit" columns=COLUMNS>{rows}</DayTable> }
    });
    days.collect_view()
}

const COLUMNS: &[&str] = &["Time", "Actor", "Action", "IP address"];

/// The actor and the subject link to all entries by that actor and about that subject.
#[component]
fn Row(entry: AuditEntry, urls: UrlVisibility) -> impl IntoView {
    let by_actor = filtered_href(|filter| filter.actor = Some(entry.actor.clone()));
    let by_subject = filtered_href(|filter| filter.subject = Some(entry.subject.clone()));
    let name = match entry.subject_name {
        Some(name) => view! { <span class="audit__name">{name}</span> }.into_any(),
        None => view! { <code class="audit__name">{entry.subject}</code> }.into_any(),
    };
    let address = match entry.address {
        Some(address) => view! { {address} }.into_any(),
        None => view! { <span class="quiet">"–"</span> }.into_any(),
    };
    view! {
        <tr id=format!("row-{}", entry.id) role="row" class="row">
            <td role="cell" class="row__time"><TimeOfDay at=entry.at/></td>
            <td role="cell" class="audit__who"><a class="audit__filter" href=by_actor>{entry.actor.to_string()}</a></td>
            <th role="rowheader" scope="row" class="audit__what">
                <span class="audit__action">{action_label(&entry.action)}</span>
                " "
                <a class="audit__filter" href=by_subject>{name}</a>
            </th>
            <td role="cell" class="audit__from">{address}</td>
            <Changes details=entry.details.map(|details| details.shown(urls))/>
        </tr>
    }
}

/// Returns the path of the log with a single filter.
fn filtered_href(set: impl FnOnce(&mut AuditFilter)) -> String {
    let mut query = AuditQuery::default();
    set(&mut query.filter);
    query.href()
}
