//! The markers that Leptos writes between nodes, so that hydration finds each of them again.

const MARKER: &str = "<!>";
const ISLAND_START: &str = "<leptos-island";
const ISLAND_END: &str = "</leptos-island>";

/// Removes the markers outside of islands, where nothing hydrates.
///
/// They would be a tenth of a page, and text in its title. Everything that is not markup has its `<` escaped, so it
/// cannot look like a marker.
pub fn strip(html: &str) -> String {
    let mut stripped = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find(ISLAND_START) {
        let (before, island) = rest.split_at(start);
        stripped.extend(before.split(MARKER));
        let end = island.find(ISLAND_END).unwrap_or(island.len());
        stripped.push_str(&island[..end]);
        rest = &island[end..];
    }
    stripped.extend(rest.split(MARKER));
    stripped
}

#[cfg(test)]
mod tests {
    use leptos::prelude::*;

    use crate::ui::layout::markers::strip;

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
