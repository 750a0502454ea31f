//! From when until when, in two fields of a filter.

use leptos::prelude::*;

use crate::{domain::Timestamp, ui::query::minute};

#[component]
pub fn TimeRange(since: Option<Timestamp>, until: Option<Timestamp>) -> impl IntoView {
    let fields = [
        ("filter-since", "since", "From (UTC)", since),
        ("filter-until", "until", "Until (UTC)", until),
    ];
    let fields = fields.map(|(id, name, label, at)| {
        view! {
            <div class="filter filter--moment">
                <label for=id>{label}</label>
                <input id=id name=name type="datetime-local" step="any" value=at.map(minute)/>
            </div>
        }
    });
    fields.to_vec()
}
