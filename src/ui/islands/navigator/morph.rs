//! Makes one part of the page like another, and leaves alone what is the same: what has the focus keeps it, and what was
//! typed stays typed.

use leptos::web_sys::{
    Document, DomParser, Element, HtmlDialogElement, HtmlInputElement, HtmlOptionElement, Node, SupportedType,
};
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};

/// Changes an element into another of its kind. Returns what was added.
pub fn element(old: &Element, new: &Element) -> Vec<Node> {
    let mut added = Vec::new();
    change(old, new, &mut added);
    added
}

/// Changes what is in an element into this HTML, and starts the islands in it.
pub fn replace_contents(place: &Element, html: &str) {
    if let Some(body) = parse(html).and_then(|page| page.body()) {
        let mut added = Vec::new();
        change_children(place, &body, &mut added);
        start_islands(&added);
    }
}

/// What is parsed so runs no scripts.
pub fn parse(html: &str) -> Option<Document> {
    DomParser::new()
        .ok()?
        .parse_from_string(html, SupportedType::TextHtml)
        .ok()
}

fn change(old: &Element, new: &Element, added: &mut Vec<Node>) {
    // An island keeps its own markup, and a script that has run is of no further use.
    if is_island(old) || old.tag_name() == "SCRIPT" || new.has_attribute("data-kept") {
        return;
    }
    change_value(old, new);
    change_attributes(old, new);
    change_children(old, new, added);
}

/// What somebody typed or chose stays, unless it is what was there at first.
fn change_value(old: &Element, new: &Element) {
    if let (Some(old), Some(new)) = (
        old.dyn_ref::<HtmlInputElement>(),
        new.dyn_ref::<HtmlInputElement>(),
    ) {
        if matches!(&*old.type_(), "checkbox" | "radio") {
            if old.checked() == old.default_checked() {
                old.set_checked(new.default_checked());
            }
        } else if old.value() == old.default_value() && old.value() != new.default_value() {
            old.set_value(&new.default_value());
        }
    }
    if let (Some(old), Some(new)) = (
        old.dyn_ref::<HtmlOptionElement>(),
        new.dyn_ref::<HtmlOptionElement>(),
    ) && old.selected() == old.default_selected()
        && old.selected() != new.default_selected()
    {
        old.set_selected(new.default_selected());
    }
}

fn change_attributes(old: &Element, new: &Element) {
    let kept = |name: &str| match &*old.tag_name() {
        // A script may hide a secret, and people open what they want to read.
        "INPUT" => name == "type",
        "DETAILS" => name == "open",
        _ => false,
    };
    for name in names(new) {
        let value = new.get_attribute(&name);
        if !kept(&name) && old.get_attribute(&name) != value {
            let _ = old.set_attribute(&name, &value.unwrap_or_default());
        }
    }
    for name in names(old) {
        if !kept(&name) && !new.has_attribute(&name) {
            let _ = old.remove_attribute(&name);
        }
    }
}

fn names(element: &Element) -> Vec<String> {
    element
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
        .collect()
}

fn change_children(old: &Node, new: &Node, added: &mut Vec<Node>) {
    let mut place = old.first_child();
    let mut wanted = new.first_child();
    while let Some(node) = wanted {
        wanted = node.next_sibling();
        match later(place.clone(), &node) {
            Some(same) => {
                if Some(&same) == place.as_ref() {
                    place = same.next_sibling();
                } else {
                    let _ = old.insert_before(&same, place.as_ref());
                }
                match (same.dyn_ref::<Element>(), node.dyn_ref::<Element>()) {
                    (Some(same), Some(node)) => change(same, node, added),
                    _ if same.node_value() != node.node_value() => {
                        same.set_node_value(node.node_value().as_deref());
                    }
                    _ => {}
                }
            }
            None if node.node_name() == "SCRIPT" => {}
            None => {
                let _ = old.insert_before(&node, place.as_ref());
                added.push(node);
            }
        }
    }
    while let Some(surplus) = place {
        place = surplus.next_sibling();
        // Closed, it gives the focus back.
        if let Some(dialog) = surplus.dyn_ref::<HtmlDialogElement>() {
            dialog.close();
        }
        let _ = old.remove_child(&surplus);
    }
}

/// The first of these siblings that can be changed into the node.
fn later(mut place: Option<Node>, node: &Node) -> Option<Node> {
    while let Some(candidate) = place {
        if is_same(&candidate, node) {
            return Some(candidate);
        }
        place = candidate.next_sibling();
    }
    None
}

/// Whether both are the same thing in two states.
fn is_same(old: &Node, new: &Node) -> bool {
    if old.node_name() != new.node_name() {
        return false;
    }
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        (Some(old), Some(new)) => {
            let same = |name| old.get_attribute(name) == new.get_attribute(name);
            // Not by `class_name`, which is no text in an SVG.
            let kind = |element: &Element| {
                let classes = element.get_attribute("class").unwrap_or_default();
                classes.split(' ').next().map(str::to_owned)
            };
            same("id") && same("name") && same("data-component") && kind(old) == kind(new)
        }
        _ => true,
    }
}

fn is_island(element: &Element) -> bool {
    element.tag_name() == "LEPTOS-ISLAND"
}

#[wasm_bindgen]
extern "C" {
    /// Left by Leptos' own script: starts an island that came later.
    #[wasm_bindgen(js_name = __hydrateIsland)]
    fn hydrate_island(island: &Element, name: &str);
}

/// Starts the islands in what was added.
pub fn start_islands(added: &[Node]) {
    let start = |island: &Element| {
        if let Some(name) = island.get_attribute("data-component") {
            hydrate_island(island, &name);
        }
    };
    for element in added.iter().filter_map(|node| node.dyn_ref::<Element>()) {
        if is_island(element) {
            start(element);
        }
        let Ok(islands) = element.query_selector_all("leptos-island") else {
            continue;
        };
        for island in (0..islands.length()).filter_map(|at| islands.get(at)?.dyn_into::<Element>().ok()) {
            start(&island);
        }
    }
}
