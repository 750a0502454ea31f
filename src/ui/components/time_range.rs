//! The two time fields of a filter, in the time zone of the viewer.

use leptos::prelude::*;

use crate::{
    domain::Timestamp,
    ui::request::{query::InvalidValues, zone::use_zone},
};

/// A text that is not a time is shown as it is, in a text field: browsers show nothing for it in a time field.
#[component]
pub fn TimeRange(
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    invalid: InvalidValues,
) -> impl IntoView {
    let fields = [
        ("filter-since", "since", "From", since),
        ("filter-until", "until", "Until", until),
    ];
    let zone = use_zone();
    let fields = fields.map(|(id, name, label, at)| {
        let field = match invalid.get(name).map(ToOwned::to_owned) {
            Some(text) => {
                let error = format!("{id}-error");
                view! {
                    <input id=id name=name type="text" value=text aria-invalid="true" aria-describedby=error.clone()/>
                    <p class="field__error" id=error>"Not a time. Use a form such as 2026-11-23T10:00."</p>
                }
                .into_any()
            }
            None => {
                let value = at.map(|at| zone.format_field(at));
                view! { <input id=id name=name type="datetime-local" step="any" value=value/> }.into_any()
            }
        };
        view! { <div class="filter filter--moment"><label for=id>{label}</label>{field}</div> }
    });
    fields.collect_view()
}
