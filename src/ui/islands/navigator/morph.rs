//! Updates the document to match new HTML. Leaves equal nodes alone, so that the focus and the user's input are kept.

use leptos::web_sys::{
    Document, DomParser, Element, HtmlDialogElement, HtmlInputElement, HtmlOptionElement, Node, SupportedType,
};
use wasm_bindgen::{JsCast, prelude::wasm_bindgen};

/// Updates an element to match `new`. Returns the added nodes.
pub fn morph_element(old: &Element, new: &Element) -> Vec<Node> {
    let mut added = Vec::new();
    update(old, new, &mut added);
    added
}

/// Updates the children of an element to match `html`, and starts the new islands.
pub fn replace_contents(element: &Element, html: &str) {
    if let Some(body) = parse(html).and_then(|page| page.body()) {
        let mut added = Vec::new();
        update_children(element, &body, &mut added);
        start_islands(&added);
    }
}

/// Parses a document. Its scripts do not run.
pub fn parse(html: &str) -> Option<Document> {
    DomParser::new()
        .ok()?
        .parse_from_string(html, SupportedType::TextHtml)
        .ok()
}

fn update(old: &Element, new: &Element, added: &mut Vec<Node>) {
    // Islands update themselves, and scripts have already run.
    if is_island(old) || old.tag_name() == "SCRIPT" || new.has_attribute("data-kept") {
        return;
    }
    update_value(old, new);
    update_attributes(old, new);
    update_children(old, new, added);
}

/// Updates the value of a field, unless the user has changed it.
fn update_value(old: &Element, new: &Element) {
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

fn update_attributes(old: &Element, new: &Element) {
    let is_kept = |name: &str| match &*old.tag_name() {
        // Set by the island that masks a secret, and by the user who opens the details.
        "INPUT" => name == "type",
        "DETAILS" => name == "open",
        _ => false,
    };
    for name in attribute_names(new) {
        let value = new.get_attribute(&name);
        if !is_kept(&name) && old.get_attribute(&name) != value {
            let _ = old.set_attribute(&name, &value.unwrap_or_default());
        }
    }
    for name in attribute_names(old) {
        if !is_kept(&name) && !new.has_attribute(&name) {
            let _ = old.remove_attribute(&name);
        }
    }
}

fn attribute_names(element: &Element) -> Vec<String> {
    element
        .get_attribute_names()
        .iter()
        .filter_map(|name| name.as_string())
        .collect()
}

fn update_children(old: &Node, new: &Node, added: &mut Vec<Node>) {
    let mut current = old.first_child();
    let mut next = new.first_child();
    while let Some(node) = next {
        next = node.next_sibling();
        match find_match(current.clone(), &node) {
            Some(same) => {
                if Some(&same) == current.as_ref() {
                    current = same.next_sibling();
                } else {
                    let _ = old.insert_before(&same, current.as_ref());
                }
                match (same.dyn_ref::<Element>(), node.dyn_ref::<Element>()) {
                    (Some(same), Some(node)) => update(same, node, added),
                    _ if same.node_value() != node.node_value() => {
                        same.set_node_value(node.node_value().as_deref());
                    }
                    _ => {}
                }
            }
            None if node.node_name() == "SCRIPT" => {}
            None => {
                let _ = old.insert_before(&node, current.as_ref());
                added.push(node);
            }
        }
    }
    while let Some(surplus) = current {
        current = surplus.next_sibling();
        // Closing the dialog returns the focus.
        if let Some(dialog) = surplus.dyn_ref::<HtmlDialogElement>() {
            dialog.close();
        }
        let _ = old.remove_child(&surplus);
    }
}

/// Returns the first node, from `next` on, that can be updated to match `node`.
fn find_match(mut next: Option<Node>, node: &Node) -> Option<Node> {
    while let Some(candidate) = next {
        if is_match(&candidate, node) {
            return Some(candidate);
        }
        next = candidate.next_sibling();
    }
    None
}

/// Returns whether both nodes are versions of the same node.
fn is_match(old: &Node, new: &Node) -> bool {
    if old.node_name() != new.node_name() {
        return false;
    }
    match (old.dyn_ref::<Element>(), new.dyn_ref::<Element>()) {
        (Some(old), Some(new)) => {
            let same = |name| old.get_attribute(name) == new.get_attribute(name);
            // `class_name` is not a string for SVG elements.
            let first_class = |element: &Element| {
                let classes = element.get_attribute("class").unwrap_or_default();
                classes.split(' ').next().map(str::to_owned)
            };
            same("id") && same("name") && same("data-component") && first_class(old) == first_class(new)
        }
        _ => true,
    }
}

fn is_island(element: &Element) -> bool {
    element.tag_name() == "LEPTOS-ISLAND"
}

#[wasm_bindgen]
extern "C" {
    /// Starts an island that was added later. Defined by the script of Leptos.
    #[wasm_bindgen(js_name = __hydrateIsland)]
    fn hydrate_island(island: &Element, name: &str);
}

/// Starts the islands in the added nodes.
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
