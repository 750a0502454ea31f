//! The few words of the browser's own language that the islands share.

use std::{cell::Cell, rc::Rc};

use leptos::web_sys::{Element, Event, EventTarget, HtmlInputElement};
use wasm_bindgen::{JsCast, closure::Closure};

/// Fired at the document after it was changed in place: what was removed holds nothing any longer.
pub const CHANGED: &str = "caleida:changed";

/// Calls `handler` at every such event, for as long as the page lives.
pub fn listen(target: &EventTarget, event: &str, handler: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handler);
    let _ = target.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref());
    handler.forget();
}

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

/// The nearest element around `inner` that the selector finds.
pub fn around(inner: &Element, selector: &str) -> Option<Element> {
    inner.closest(selector).ok().flatten()
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
