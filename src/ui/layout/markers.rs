//! Removes the markers that Leptos writes between nodes for hydration.

const MARKER: &str = "<!>";
const ISLAND_START: &str = "<leptos-island";
const ISLAND_END: &str = "</leptos-island>";

/// Removes the markers outside of islands, where nothing is hydrated.
///
/// They are about a tenth of a page, and would be visible in its title. Text and attribute values have `<` escaped, so
/// they cannot contain a marker.
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
    fn removes_markers_outside_of_islands() {
        assert_eq!(strip("<p>a<!>b<!></p><!>"), "<p>ab</p>");
    }

    #[test]
    fn keeps_markers_in_islands() {
        let island = "<leptos-island data-component=\"A\"><b>1<!></b><!></leptos-island>";
        let html = format!("<p><!>{island}<!></p>{island}<!>");
        assert_eq!(strip(&html), format!("<p>{island}</p>{island}"));
    }

    #[test]
    fn keeps_text_that_looks_like_a_marker() {
        let html = view! { <p title="a<!>b">{"<!>"}</p> }.to_html();
        let stripped = strip(&html);
        assert!(stripped.contains("&lt;!&gt;</p>"), "{stripped}");
        assert!(stripped.contains("title=\"a&lt;!&gt;b\""), "{stripped}");
    }
}
