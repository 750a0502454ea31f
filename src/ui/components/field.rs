//! A labeled input with a hint and an error.

use leptos::prelude::*;

/// The error element is always rendered and always describes the input, because islands write to it.
#[component]
pub fn TextField(
    id: &'static str,
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    #[prop(into)] value: String,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] class: &'static str,
    #[prop(optional)] inputmode: Option<&'static str>,
    #[prop(optional, into)] hint: Option<String>,
    error: Option<String>,
    #[prop(optional)] focus: bool,
    #[prop(optional)] readonly: bool,
    /// Content below the input.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let described = match hint {
        Some(_) => format!("{id}-error {id}-hint"),
        None => format!("{id}-error"),
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id
                name=id
                class=class
                type=kind
                inputmode=inputmode
                value=value
                autocomplete=autocomplete
                autocapitalize="off"
                spellcheck="false"
                autofocus=focus
                readonly=readonly
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described
            />
            <FieldError id=id error/>
            {children.map(|children| children())}
            {hint.map(|hint| view! { <p class="field__hint" id=format!("{id}-hint")>{hint}</p> })}
        </div>
    }
}

/// The error message of a field, or an empty element.
#[component]
pub fn FieldError(id: &'static str, error: Option<String>) -> impl IntoView {
    view! { <p class="field__error" id=format!("{id}-error")>{error}</p> }
}
