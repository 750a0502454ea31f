//! The two time fields of a filter, in the time zone of the viewer.

use leptos::prelude::*;

use crate::{domain::Timestamp, ui::request::zone::use_zone};

#[component]
pub fn TimeRange(since: Option<Timestamp>, until: Option<Timestamp>) -> impl IntoView {
    let fields = [
        ("filter-since", "since", "From", since),
        ("filter-until", "until", "Until", until),
    ];
    let zone = use_zone();
    let fields = fields.map(|(id, name, label, at)| {
        view! {
            <div class="filter filter--moment">
                <label for=id>{label}</label>
                <input id=id name=name type="datetime-local" step="any" value=at.map(|at| zone.format_field(at))/>
            </div>
        }
    });
    fields.collect_view()
}
