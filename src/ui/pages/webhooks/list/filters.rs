//! The search and the filters of the list.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{
    domain::{UrlVisibility, WebhookStatus},
    ui::{
        components::{
            event_types::EventTypeFilter,
            icon::{Glyph, Icon},
            list_page::FilterForm,
            select::{Select, any_or},
        },
        labels::Label,
        paths,
        request::query::ListQuery,
    },
};

#[component]
pub fn Filters(query: ListQuery, urls: UrlVisibility) -> impl IntoView {
    let statuses = WebhookStatus::VARIANTS
        .iter()
        .map(|status| (status.as_str(), status.label()));
    let searched = match urls {
        UrlVisibility::Full => "Name or URL",
        UrlVisibility::Shortened => "Name or host",
    };
    let filtered = query.is_filtered();
    let (filter, invalid) = (query.filter, query.invalid);
    let status = invalid.shown("status", filter.status.map(WebhookStatus::as_str));
    view! {
        <FilterForm action=paths::LIST filtered>
            <div class="filter filter--search">
                <label for="q">"Search"</label>
                <Icon glyph=Glyph::Search/>
                <input
                    id="q"
                    name="q"
                    type="search"
                    value=filter.search
                    placeholder=searched
                    autocomplete="off"
                    spellcheck="false"
                />
            </div>
            <EventTypeFilter id="filter-event" name="event" chosen=filter.event_type invalid/>
            <Select
                id="filter-status"
                name="status"
                label="Status"
                choices=any_or("Any status", statuses)
                chosen=status
            />
        </FilterForm>
    }
}
