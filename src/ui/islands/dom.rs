//! DOM helpers for the islands.

use leptos::web_sys::{Element, Event, EventTarget};
use wasm_bindgen::{JsCast, closure::Closure};

/// Event fired at the document after it was changed in place. Islands that were removed must release their resources.
pub const PAGE_CHANGED: &str = "caleida:changed";

/// Adds an event listener that is never removed.
pub fn listen(target: &EventTarget, event: &str, handler: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handler);
    let _ = target.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref());
    handler.forget();
}

/// Returns the closest ancestor of `element`, or the element itself, that matches the selector.
pub fn closest(element: &Element, selector: &str) -> Option<Element> {
    element.closest(selector).ok().flatten()
}
