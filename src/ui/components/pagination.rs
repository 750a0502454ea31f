//! From page to page of a list.

use leptos::prelude::*;

use crate::{
    store::WebhookFilter,
    ui::{paths, request::query::ListQuery},
};

/// `1–50 of 120`, with links to the pages before and after; without them if all fits on one.
#[component]
pub fn Pagination(query: ListQuery, shown: usize, matching: u64) -> impl IntoView {
    let page = query.0.page;
    let start = u64::from(page) * u64::from(WebhookFilter::PAGE_SIZE);
    let end = start + u64::try_from(shown).unwrap_or(0);
    let newer = (page > 0).then(|| query.page(page - 1).on(paths::LIST));
    let older = (end < matching).then(|| query.page(page + 1).on(paths::LIST));
    let link = |href: Option<String>, text: &'static str| match href {
        Some(href) => view! { <a class="button button--small" href=href data-soft>{text}</a> }.into_any(),
        None => view! { <span class="button button--small button--off" aria-hidden="true">{text}</span> }
            .into_any(),
    };
    let links = (newer.is_some() || older.is_some())
        .then(|| view! { <span class="pages__links">{link(newer, "Previous")}{link(older, "Next")}</span> });
    view! {
        <nav class="pages" aria-label="Pages">
            <span class="pages__count">{format!("{}–{end} of {matching}", start + 1)}</span>
            {links}
        </nav>
    }
}
