//! Which events a webhook wants, in little room.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{
    domain::{EventType, EventTypes},
    ui::components::select::{Select, any_or},
};

/// How many are named before the rest becomes a number.
const NAMED: usize = 3;

/// The first three by name, then “+2”, whose tooltip and hidden text name the rest. The number is a second way into the
/// row's own link, so that it can have a tooltip and a click on it still opens the row.
#[component]
pub fn EventTypeList(events: EventTypes, href: String) -> impl IntoView {
    let named = events
        .iter()
        .take(NAMED)
        .map(|event| view! { <code class="event">{event.as_str()}</code> });
    let named = named.collect_view();
    let rest: Vec<_> = events.iter().skip(NAMED).map(EventType::as_str).collect();
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

/// Narrows a list to one type.
#[component]
pub fn EventTypeFilter(id: &'static str, name: &'static str, chosen: Option<EventType>) -> impl IntoView {
    let types = EventType::VARIANTS
        .iter()
        .map(|event| (event.as_str(), event.as_str()));
    let chosen = chosen.map_or("", EventType::as_str);
    view! { <Select id name label="Event type" choices=any_or("Any event", types) chosen/> }
}
