//! A native select with a label.

use leptos::prelude::*;

/// `choices` are pairs of value and text. The first one is usually “Any”, with an empty value. A chosen value that is not
/// one of them is shown as it is.
#[component]
pub fn Select(
    #[prop(into)] id: String,
    name: &'static str,
    label: &'static str,
    mut choices: Vec<(String, String)>,
    #[prop(into)] chosen: String,
) -> impl IntoView {
    if !chosen.is_empty() && choices.iter().all(|(value, _)| *value != chosen) {
        choices.push((chosen.clone(), chosen.clone()));
    }
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

/// Returns the choices of a filter, preceded by `any` with an empty value.
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
