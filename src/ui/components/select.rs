//! A choice among a few, as the browser draws it.

use leptos::prelude::*;

/// `choices` are values with their texts; the first is usually “Any”, with an empty value.
#[component]
pub fn Select(
    id: &'static str,
    name: &'static str,
    label: &'static str,
    choices: Vec<(&'static str, &'static str)>,
    chosen: &'static str,
) -> impl IntoView {
    let options = choices.into_iter().map(|(value, text)| {
        view! { <option value=value selected=value == chosen>{text}</option> }
    });
    view! {
        <div class="filter">
            <label for=id>{label}</label>
            <select id=id name=name>{options.collect_view()}</select>
        </div>
    }
}
