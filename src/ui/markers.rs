//! The markers that Leptos writes between nodes, so that hydration finds each of them again.

use std::sync::LazyLock;

use memchr::memmem::Finder;

static MARKER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("<!>"));
static ISLAND_START: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("<leptos-island"));
static ISLAND_END: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("</leptos-island>"));

/// Removes the markers outside of islands, where nothing hydrates.
///
/// They would be a tenth of a page, and text in its title. Everything that is not markup has its `<` escaped, so it
/// cannot look like a marker.
pub fn strip(html: &str) -> String {
    let mut stripped = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = ISLAND_START.find(rest.as_bytes()) {
        let (before, island) = rest.split_at(start);
        push_stripped(&mut stripped, before);
        let end = ISLAND_END.find(island.as_bytes()).unwrap_or(island.len());
        stripped.push_str(&island[..end]);
        rest = &island[end..];
    }
    push_stripped(&mut stripped, rest);
    stripped
}

fn push_stripped(stripped: &mut String, html: &str) {
    let mut copied = 0;
    for marker in MARKER.find_iter(html.as_bytes()) {
        stripped.push_str(&html[copied..marker]);
        copied = marker + MARKER.needle().len();
    }
    stripped.push_str(&html[copied..]);
}

#[cfg(test)]
mod tests {
    use leptos::prelude::*;

    use super::strip;

    #[test]
    fn markers_outside_of_islands_are_removed() {
        assert_eq!(strip("<p>a<!>b<!></p><!>"), "<p>ab</p>");
    }

    #[test]
    fn islands_keep_their_markers() {
        let island = "<leptos-island data-component=\"A\"><b>1<!></b><!></leptos-island>";
        let html = format!("<p><!>{island}<!></p>{island}<!>");
        assert_eq!(strip(&html), format!("<p>{island}</p>{island}"));
    }

    #[test]
    fn text_and_attributes_that_look_like_markers_are_kept() {
        let html = view! { <p title="a<!>b">{"<!>"}</p> }.to_html();
        let stripped = strip(&html);
        assert!(stripped.contains("&lt;!&gt;</p>"), "{stripped}");
        assert!(stripped.contains("title=\"a&lt;!&gt;b\""), "{stripped}");
    }
}
