//! HTML queries by CSS selector.

use scraper::{ElementRef, Html, Selector};

/// Returns the text of every element that matches, in page order.
pub fn texts(html: &str, selector: &str) -> Vec<String> {
    select(html, selector, |element| Some(element.text().collect()))
}

/// Returns the attribute of every element that matches and has it, in page order.
pub fn attributes(html: &str, selector: &str, name: &str) -> Vec<String> {
    select(html, selector, |element| element.attr(name).map(str::to_owned))
}

/// Returns the secret, key or link that the page shows for copying.
pub fn copyable(html: &str) -> String {
    let shown = texts(html, "code.secrets__text").into_iter().next();
    shown.unwrap_or_else(|| panic!("nothing to copy in {html}"))
}

fn select(html: &str, selector: &str, read: impl Fn(ElementRef<'_>) -> Option<String>) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    Html::parse_fragment(html)
        .select(&selector)
        .filter_map(read)
        .collect()
}
