//! What the logs have in common: a heading, filters that apply while one types, the entries by day, and the ways on.

use leptos::prelude::*;

use super::empty_state::EmptyState;

/// Where one is in a log, as addresses.
#[derive(Debug, Clone)]
pub struct Position {
    /// The log without filters.
    pub everything: String,
    pub filtered: bool,
    /// From further down: the newest entries that fit the filters.
    pub newest: Option<String>,
    /// The entries before the ones that are shown, or that were looked through.
    pub older: Option<String>,
}

/// How a log speaks of its entries.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// `delivery` and `deliveries`.
    pub entry: &'static str,
    pub entries: &'static str,
    pub empty_title: &'static str,
    pub empty_text: &'static str,
}

/// `actions` stand beside the heading, `above` between it and the filters.
#[component]
pub fn ListPage(
    title: &'static str,
    text: AnyView,
    #[prop(optional_no_strip)] actions: Option<AnyView>,
    #[prop(optional_no_strip)] above: Option<AnyView>,
    filters: AnyView,
    position: Position,
    children: Children,
) -> impl IntoView {
    let Position { newest, older, .. } = position;
    let way = |(href, label): (String, &'static str)| {
        view! { <a class="button button--small" href=href data-soft>{label}</a> }
    };
    let ways = [
        newest.map(|href| (href, "Newest")),
        older.map(|href| (href, "Older")),
    ];
    let ways = ways.into_iter().flatten().map(way);
    view! {
        <div class="heading">
            <div><h1>{title}</h1><p class="heading__text">{text}</p></div>
            {actions}
        </div>
        {above}
        {filters}
        {children()}
        // Nobody counts the pages of a log.
        <nav class="pages" aria-label="Pages">{ways.collect_view()}</nav>
    }
}

/// The filters of a list: a plain form, whose answer has an address.
#[component]
pub fn FilterForm(
    /// The list without filters.
    #[prop(into)]
    action: String,
    filtered: bool,
    children: Children,
) -> impl IntoView {
    let clear = filtered.then(|| {
        view! { <a class="filters__clear" href=action.clone() data-soft="clear">"Clear filters"</a> }
    });
    view! {
        <form class="filters" method="get" action=action.clone() role="search" data-soft="live">
            {children()}
            <button class="button" type="submit">"Apply"</button>
            {clear}
        </form>
    }
}

/// Why there are no entries, and what to do about it.
#[component]
pub fn NoEntries(position: Position, words: Words) -> impl IntoView {
    let Position {
        everything,
        filtered,
        newest,
        older,
    } = position;
    let Words {
        entry,
        entries,
        empty_title,
        empty_text,
    } = words;
    if older.is_some() {
        let text = format!("None of the newest {entries} matches. Choose “Older” to keep searching.");
        view! { <EmptyState title="Nothing yet" text/> }.into_any()
    } else if filtered {
        view! {
            <EmptyState title="Nothing matches" text=format!("No {entry} matches these filters.")>
                <a class="button" href=everything data-soft="clear">"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else if newest.is_some() {
        view! {
            <EmptyState title="Nothing older" text="This is where the record begins.">
                <a class="button" href=everything data-soft>"Newest"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! { <EmptyState title=empty_title text=empty_text/> }.into_any()
    }
}
