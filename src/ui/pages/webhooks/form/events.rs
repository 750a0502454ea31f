//! The checkboxes for events.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{
    domain::{EventType, EventTypes},
    ui::{components::field::FieldError, islands::select_all::SelectAllInsights},
};

#[component]
pub fn EventsField(chosen: Vec<String>, error: Option<String>, focus: bool, readonly: bool) -> impl IntoView {
    let chosen = EventTypes::parse(chosen.iter().map(String::as_str)).ok();
    let chosen = |event| chosen.as_ref().is_some_and(|chosen| chosen.contains(event));
    let invalid = error.is_some();
    let choices = |insights: bool| {
        let events = EventType::VARIANTS
            .iter()
            .copied()
            .filter(|event| event.is_insight() == insights);
        events
            .map(|event| {
                let focus = focus && event == EventType::VARIANTS[0];
                view! { <EventChoice event chosen=chosen(event) invalid focus readonly/> }
            })
            .collect_view()
    };
    // Never checked by the server: without JavaScript, it would add the insights again that the user deselects.
    let select_all = (!readonly).then(|| {
        view! {
            <div class="choice choice--all">
                <input id="insights" type="checkbox" name="events" value=EventTypes::ALL_INSIGHTS/>
                <label for="insights">"Select all insights"</label>
                <SelectAllInsights/>
            </div>
        }
    });
    view! {
        <fieldset class="field choices" aria-describedby="events-error" data-previewed>
            <legend>"Events"</legend>
            <FieldError id="events" error/>
            <div class="choices__list">{choices(false)}</div>
            <fieldset class="choices__group">
                <legend>"Insights"</legend>
                {select_all}
                <div class="choices__list">{choices(true)}</div>
            </fieldset>
        </fieldset>
    }
}

/// The accessible name is exactly the event type. The description is when it occurs.
#[component]
fn EventChoice(event: EventType, chosen: bool, invalid: bool, focus: bool, readonly: bool) -> impl IntoView {
    let id = format!("event-{event}");
    let about = format!("about-{event}");
    let described = format!("{about} events-error");
    view! {
        <div class="choice">
            <input
                id=id.clone()
                type="checkbox"
                name="events"
                value=event.as_str()
                checked=chosen
                disabled=readonly
                autofocus=focus
                aria-invalid=invalid.then_some("true")
                aria-describedby=described
            />
            <label for=id><code>{event.as_str()}</code></label>
            <span class="choice__about" id=about>{event.description()}</span>
        </div>
    }
}
