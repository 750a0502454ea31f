//! Helpers for form fields: the input and its error message, which the component of the field has rendered.

use std::{cell::Cell, rc::Rc};

use leptos::web_sys::{Element, HtmlInputElement};
use wasm_bindgen::JsCast;

use super::dom::{closest, listen};

/// Returns the first input in `root` that matches the selector.
pub fn find_input(root: &Element, selector: &str) -> Option<HtmlInputElement> {
    root.query_selector(selector).ok().flatten()?.dyn_into().ok()
}

/// Calls `handler` after the focus has moved from this input to another element of its form.
///
/// Waits for the end of the click or key stroke that moved the focus. An error that appears while the mouse button is
/// down would move the element that is being clicked.
pub fn on_leave(input: &HtmlInputElement, handler: impl Fn() + 'static) {
    let Some(form) = closest(input, "form") else {
        return;
    };
    let (left, handler) = (Rc::new(Cell::new(false)), Rc::new(handler));
    listen(input, "focusout", {
        let left = Rc::clone(&left);
        move |_| left.set(true)
    });
    for event in ["click", "keyup"] {
        let (left, handler) = (Rc::clone(&left), Rc::clone(&handler));
        listen(&form, event, move |_| {
            if left.take() {
                handler();
            }
        });
    }
}

/// Shows an error at a field, or removes it if `error` is `None`.
pub fn set_error(input: &HtmlInputElement, error: Option<&str>) {
    let _ = match error {
        Some(_) => input.set_attribute("aria-invalid", "true"),
        None => input.remove_attribute("aria-invalid"),
    };
    let message = input
        .owner_document()
        .and_then(|page| page.get_element_by_id(&format!("{}-error", input.id())));
    if let Some(message) = message {
        message.set_text_content(error);
    }
}
