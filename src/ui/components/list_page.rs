//! The layout of the log pages: heading, filters, entries by day, and links to newer and older entries.

use leptos::prelude::*;

use super::empty_state::EmptyState;

/// Links to other positions in a log.
#[derive(Debug, Clone)]
pub struct LogNavigation {
    /// Path of the log without filters.
    pub unfiltered: String,
    pub filtered: bool,
    /// The newest entries that match the filters. `None` on the first page.
    pub newest: Option<String>,
    /// The entries before those that were examined for this page. `None` on the last page.
    pub older: Option<String>,
}

/// The texts of a log without entries.
#[derive(Debug, Clone, Copy)]
pub struct LogTexts {
    /// Plural noun, such as `deliveries`.
    pub entries: &'static str,
    pub empty_title: &'static str,
    pub empty_text: &'static str,
}

/// `actions` is next to the heading, `above` between the heading and the filters.
#[component]
pub fn ListPage(
    title: &'static str,
    text: AnyView,
    #[prop(optional_no_strip)] actions: Option<AnyView>,
    #[prop(optional_no_strip)] above: Option<AnyView>,
    filters: AnyView,
    navigation: LogNavigation,
    children: Children,
) -> impl IntoView {
    let LogNavigation { newest, older, .. } = navigation;
    let link = |(href, label): (String, &'static str)| {
        view! { <a class="button button--small" href=href data-soft>{label}</a> }
    };
    let links = [
        newest.map(|href| (href, "Newest")),
        older.map(|href| (href, "Older")),
    ];
    let links = links.into_iter().flatten().map(link);
    view! {
        <div class="heading">
            <div><h1>{title}</h1><p class="heading__text">{text}</p></div>
            {actions}
        </div>
        {above}
        {filters}
        {children()}
        // Without page numbers, because the entries of a log are not counted.
        <nav class="pages" aria-label="Pages">{links.collect_view()}</nav>
    }
}

/// The filters of a list. A GET form, so that each result has its own URL.
#[component]
pub fn FilterForm(
    /// Path of the list without filters.
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

/// Explains why there are no entries and what to do about it.
#[component]
pub fn NoEntries(navigation: LogNavigation, texts: LogTexts) -> impl IntoView {
    let LogNavigation {
        unfiltered,
        filtered,
        newest,
        older,
    } = navigation;
    let LogTexts {
        entries,
        empty_title,
        empty_text,
    } = texts;
    if older.is_some() {
        let text = format!("None of the newest {entries} match. Choose “Older” to keep searching.");
        view! { <EmptyState title="No matches yet" text/> }.into_any()
    } else if filtered {
        view! {
            <EmptyState title="No matches" text=format!("No {entries} match these filters.")>
                <a class="button" href=unfiltered data-soft="clear">"Clear filters"</a>
            </EmptyState>
        }
        .into_any()
    } else if newest.is_some() {
        view! {
            <EmptyState title="No older entries" text="This is the end of the log.">
                <a class="button" href=unfiltered data-soft>"Newest"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! { <EmptyState title=empty_title text=empty_text/> }.into_any()
    }
}
