//! The few words of the browser's own language that the islands share.

use leptos::web_sys::{Element, Event, EventTarget};
use wasm_bindgen::{JsCast, closure::Closure};

/// Fired at the document after it was changed in place: what was removed holds nothing any longer.
pub const CHANGED: &str = "caleida:changed";

/// Calls `handler` at every such event, for as long as the page lives.
pub fn listen(target: &EventTarget, event: &str, handler: impl FnMut(Event) + 'static) {
    let handler = Closure::<dyn FnMut(Event)>::new(handler);
    let _ = target.add_event_listener_with_callback(event, handler.as_ref().unchecked_ref());
    handler.forget();
}

/// The nearest element around `inner` that the selector finds.
pub fn around(inner: &Element, selector: &str) -> Option<Element> {
    inner.closest(selector).ok().flatten()
}
