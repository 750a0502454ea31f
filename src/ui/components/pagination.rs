//! Links between the pages of a list.

use leptos::prelude::*;

use crate::{
    store::WebhookFilter,
    ui::{paths, request::query::ListQuery},
};

/// Shows `1–50 of 120`, with links to the previous and next page if there is more than one.
#[component]
pub fn Pagination(query: ListQuery, shown: usize, matching: u64) -> impl IntoView {
    let page = query.filter.page;
    let start = u64::from(page) * u64::from(WebhookFilter::PAGE_SIZE);
    let end = start + u64::try_from(shown).unwrap_or(0);
    let previous = (page > 0).then(|| query.with_page(page - 1).href(paths::LIST));
    let next = (end < matching).then(|| query.with_page(page + 1).href(paths::LIST));
    let link = |href: Option<String>, text: &'static str| match href {
        Some(href) => view! { <a class="button button--small" href=href data-soft>{text}</a> }.into_any(),
        None => view! { <span class="button button--small button--off" aria-hidden="true">{text}</span> }
            .into_any(),
    };
    let links = (previous.is_some() || next.is_some()).then(
        || view! { <span class="pages__links">{link(previous, "Previous")}{link(next, "Next")}</span> },
    );
    view! {
        <nav class="pages" aria-label="Pages">
            <span class="pages__count">{format!("{}–{end} of {matching}", start + 1)}</span>
            {links}
        </nav>
    }
}
