//! A labelled input with its hint and its error.

use leptos::prelude::*;

/// The error's element is always there, and the input always described by it: the islands write into it too.
#[component]
pub fn TextField(
    id: &'static str,
    /// Also the id's default meaning in the form.
    label: &'static str,
    #[prop(default = "text")] kind: &'static str,
    #[prop(into)] value: String,
    #[prop(default = "off")] autocomplete: &'static str,
    #[prop(optional)] class: &'static str,
    #[prop(optional, into)] hint: Option<String>,
    error: Option<String>,
    #[prop(optional)] focus: bool,
    #[prop(optional)] readonly: bool,
    /// What stands below the input.
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

/// What is wrong with a field, or nothing.
#[component]
pub fn FieldError(id: &'static str, error: Option<String>) -> impl IntoView {
    view! { <p class="field__error" id=format!("{id}-error")>{error}</p> }
}
