//! What went over the wire.

use leptos::prelude::*;

/// As they went over the wire. What must not be seen was redacted when the attempt was recorded.
#[component]
pub fn Headers(headers: Vec<(String, String)>) -> impl IntoView {
    if headers.is_empty() {
        return ().into_any();
    }
    let headers = headers
        .into_iter()
        .map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! { <dl class="headers">{headers.collect_view()}</dl> }.into_any()
}

/// What others wrote, as text and nothing else. It scrolls, so it can be focused.
#[component]
pub fn CodeBlock(#[prop(into)] label: String, text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <p class="quiet">"Empty"</p> }.into_any();
    }
    view! { <pre class="inert" tabindex="0" role="region" aria-label=label>{text}</pre> }.into_any()
}
