//! What the islands in a field do to it: its component has rendered an input, and a place for what is wrong with it.

use std::{cell::Cell, rc::Rc};

use leptos::web_sys::{Element, HtmlInputElement};
use wasm_bindgen::JsCast;

use super::dom::{around, listen};

/// The first input below `root` that the selector finds.
pub fn input(root: &Element, selector: &str) -> Option<HtmlInputElement> {
    root.query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Calls `handler` once the focus has moved from this input to something else in its form. Not at the moment when it
/// moves: an error that appears while the mouse button is down pushes away what is being clicked. So it waits for the
/// end of the click, or of the key stroke.
pub fn on_move_on(input: &HtmlInputElement, handler: impl Fn() + 'static) {
    let Some(form) = around(input, "form") else {
        return;
    };
    let (left, handler) = (Rc::new(Cell::new(false)), Rc::new(handler));
    listen(input, "focusout", {
        let left = Rc::clone(&left);
        move |_| left.set(true)
    });
    for end in ["click", "keyup"] {
        let (left, handler) = (Rc::clone(&left), Rc::clone(&handler));
        listen(&form, end, move |_| {
            if left.take() {
                handler();
            }
        });
    }
}

/// Says at a field what is wrong with it, as the server would; `None` takes it back.
pub fn set_error(input: &HtmlInputElement, error: Option<&str>) {
    let _ = match error {
        Some(_) => input.set_attribute("aria-invalid", "true"),
        None => input.remove_attribute("aria-invalid"),
    };
    let place = input
        .owner_document()
        .and_then(|page| page.get_element_by_id(&format!("{}-error", input.id())));
    if let Some(place) = place {
        place.set_text_content(error);
    }
}
