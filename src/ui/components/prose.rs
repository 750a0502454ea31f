//! Renders the Markdown subset of descriptions: paragraphs, `code` and **strong**.

use leptos::prelude::*;

/// Renders paragraphs that are separated by empty lines.
#[component]
pub fn Prose(text: String) -> impl IntoView {
    text.split("\n\n")
        .filter(|paragraph| !paragraph.trim().is_empty())
        .map(|paragraph| view! { <p>{inline(paragraph)}</p> })
        .collect_view()
}

/// Renders a single line.
pub fn inline(text: &str) -> Vec<AnyView> {
    let parts = text.split('`').enumerate();
    parts
        .flat_map(|(index, part)| {
            if index % 2 == 1 {
                vec![view! { <code>{part.to_owned()}</code> }.into_any()]
            } else {
                strong(part)
            }
        })
        .collect()
}

fn strong(text: &str) -> Vec<AnyView> {
    let parts = text.split("**").enumerate();
    parts
        .filter(|(_, part)| !part.is_empty())
        .map(|(index, part)| {
            let part = part.to_owned();
            if index % 2 == 1 {
                view! { <strong>{part}</strong> }.into_any()
            } else {
                part.into_any()
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::layout::fragment::Fragment;

    #[test]
    fn renders_code_and_strong_and_escapes_the_rest() {
        let text = "**Keys.** Send `a <b>`,\nor not.\n\nThe <end>".to_owned();
        let html = Fragment::render(
            &crate::ui::request::zone::Zone::default(),
            || view! { <Prose text/> },
        );
        let html = html.as_str().replace("<!>", "");
        assert!(
            html.contains("<p><strong>Keys.</strong> Send <code>a &lt;b&gt;</code>"),
            "{html}"
        );
        assert!(html.contains("<p>The &lt;end&gt;</p>"), "{html}");
    }
}
