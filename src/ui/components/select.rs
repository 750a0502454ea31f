//! A choice among a few, as the browser draws it.

use leptos::prelude::*;

/// `choices` are values with their texts; the first is usually “Any”, with an empty value.
#[component]
pub fn Select(
    #[prop(into)] id: String,
    name: &'static str,
    label: &'static str,
    choices: Vec<(String, String)>,
    #[prop(into)] chosen: String,
) -> impl IntoView {
    let options = choices.into_iter().map(|(value, text)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{text}</option> }
    });
    view! {
        <div class="filter">
            <label for=id.clone()>{label}</label>
            <select id=id name=name>{options.collect_view()}</select>
        </div>
    }
}

/// The choices of a filter, after the one that filters nothing.
pub fn any_or<T: Into<String>>(
    any: &str,
    choices: impl IntoIterator<Item = (T, T)>,
) -> Vec<(String, String)> {
    let choices = choices
        .into_iter()
        .map(|(value, text)| (value.into(), text.into()));
    [(String::new(), any.to_owned())]
        .into_iter()
        .chain(choices)
        .collect()
}
