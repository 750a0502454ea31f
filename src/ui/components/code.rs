//! Headers and bodies of requests and responses.

use leptos::prelude::*;

/// Headers as they were sent or recorded. Recording a response redacts credentials in its headers.
#[component]
pub fn HeaderList(headers: Vec<(String, String)>) -> impl IntoView {
    if headers.is_empty() {
        return ().into_any();
    }
    let headers = headers
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="headers">{headers.collect_view()}</dl> }.into_any()
}

/// Untrusted content as inert text. It is focusable because it scrolls.
#[component]
pub fn CodeBlock(#[prop(into)] label: String, text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <p class="quiet">"Empty"</p> }.into_any();
    }
    view! { <pre class="inert" tabindex="0" role="region" aria-label=label>{text}</pre> }.into_any()
}
