//! The preview of a filter: which of the newest events it sends.

use leptos::prelude::*;

use super::{count::pluralize, time_ago::ExactTime};
use crate::{
    domain::{ReceivedEvent, Timestamp},
    ui::paths,
    webhooks::FilterPreview,
};

#[component]
pub fn FilterPreviewSection(preview: FilterPreview, now: Timestamp) -> impl IntoView {
    let FilterPreview {
        matching,
        others,
        advice,
    } = preview;
    let (sent, examined) = (matching.len(), matching.len() + others.len());
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let found = match examined {
        0 => "There are no recent events of the chosen types to try the filter with.".to_owned(),
        1 => format!("{sent} of 1 recent event would be sent."),
        _ => format!("{sent} of the last {examined} events would be sent."),
    };
    let warnings = advice.into_iter();
    let warnings = warnings.map(|advice| view! { <p class="field__advice">{advice.to_string()}</p> });
    let matching_summary = format!("{} would be sent", pluralize(count(sent), "event", "events"));
    let others_summary = format!(
        "{} would not be sent",
        pluralize(count(others.len()), "event", "events")
    );
    let matching = matching
        .into_iter()
        .map(|event| view! { <Item event excluded_by=None now/> }.into_any());
    let others = others
        .into_iter()
        .map(|(event, condition)| view! { <Item event excluded_by=Some(condition) now/> }.into_any());
    view! {
        <p><strong>{found}</strong></p>
        {warnings.collect_view()}
        <List summary=matching_summary items=matching.collect()/>
        <List summary=others_summary items=others.collect()/>
    }
}

/// A note instead of a preview.
#[component]
pub fn NoPreview(reason: String) -> impl IntoView {
    view! { <p class="quiet">{reason}</p> }
}

#[component]
fn List(summary: String, items: Vec<AnyView>) -> impl IntoView {
    (!items.is_empty()).then(|| {
        view! {
            <details>
                <summary>{summary}</summary>
                <ol class="preview__events">{items}</ol>
            </details>
        }
    })
}

#[component]
fn Item(event: ReceivedEvent, excluded_by: Option<String>, now: Timestamp) -> impl IntoView {
    let reason = excluded_by.map(|condition| view! { <span class="preview__why">{condition}</span> });
    view! {
        <li>
            <code class="event">{event.event_type.as_str()}</code>" "
            <a href=paths::event(&event.id)>{event.id.to_string()}</a>
            <span class="quiet">" · "<ExactTime at=event.received_at now/></span>
            {reason}
        </li>
    }
}
