//! Compact display and filter of event types.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{
    domain::{EventType, EventTypes},
    ui::{
        components::select::{Select, any_or},
        request::query::InvalidValues,
    },
};

/// Number of event types that are named; the others are only counted.
const MAX_NAMED: usize = 3;

/// Shows the first three names, then “+2” with the others in a tooltip and in hidden text. The number repeats the link
/// of the row, so that a click on it still opens the row.
#[component]
pub fn EventTypeList(events: EventTypes, href: String) -> impl IntoView {
    let named = events
        .iter()
        .take(MAX_NAMED)
        .map(|event| view! { <code class="event">{event.as_str()}</code> });
    let named = named.collect_view();
    let rest: Vec<_> = events.iter().skip(MAX_NAMED).map(EventType::as_str).collect();
    let all: Vec<_> = events.iter().map(EventType::as_str).collect();
    let more = (!rest.is_empty()).then(|| {
        view! {
            <a class="event event--more" href=href title=all.join(", ") tabindex="-1" aria-hidden="true" data-soft>
                {format!("+{}", rest.len())}
            </a>
            <span class="unseen">{format!("and {}", rest.join(", "))}</span>
        }
    });
    view! { <span class="events">{named}{more}</span> }
}

/// Filters a list by event type. An invalid type is shown as it is.
#[component]
pub fn EventTypeFilter(
    id: &'static str,
    name: &'static str,
    chosen: Option<EventType>,
    invalid: InvalidValues,
) -> impl IntoView {
    let types = EventType::VARIANTS
        .iter()
        .map(|event| (event.as_str(), event.as_str()));
    let chosen = invalid.shown(name, chosen.map(EventType::as_str));
    view! { <Select id name label="Event type" choices=any_or("Any event", types) chosen/> }
}
