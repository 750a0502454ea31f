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

/// Untrusted content as inert text. If it is longer than `limit` bytes, shows its beginning and a link to the whole.
#[component]
pub fn LongCodeBlock(
    #[prop(into)] label: String,
    content: Vec<u8>,
    /// Address of the whole content.
    whole: String,
    /// Noun for the link, such as `body`.
    noun: &'static str,
    #[prop(default = 8 * 1024)] limit: usize,
) -> impl IntoView {
    let text = String::from_utf8_lossy(&content);
    if text.len() <= limit {
        return view! { <CodeBlock label text=text.into_owned()/> }.into_any();
    }
    let shown = text[..text.floor_char_boundary(limit)].to_owned();
    let note = format!("The first {} of {}. ", size(limit), size(content.len()));
    view! {
        <CodeBlock label text=shown/>
        <p class="quiet">{note}<a href=whole>{format!("Show the whole {noun}")}</a></p>
    }
    .into_any()
}

/// Formats a size in KiB, rounded up, with a thousands separator.
fn size(bytes: usize) -> String {
    let kib = bytes.div_ceil(1024);
    match kib / 1000 {
        0 => format!("{kib} KiB"),
        thousands => format!("{thousands},{:03} KiB", kib % 1000),
    }
}

/// Untrusted content as inert text. It is focusable because it scrolls.
#[component]
pub fn CodeBlock(#[prop(into)] label: String, text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <p class="quiet">"Empty"</p> }.into_any();
    }
    view! { <pre class="inert" tabindex="0" role="region" aria-label=label>{text}</pre> }.into_any()
}
