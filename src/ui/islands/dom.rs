//! The few words of the browser's own language that the islands share.

use leptos::web_sys::{Element, Event, EventTarget, FocusEvent, HtmlInputElement};
use wasm_bindgen::{JsCast, closure::Closure};

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

/// Calls `handler` when the focus moves from this input to another one. Not when it goes to a button: an error that
/// appeared at that moment could move the button away before it is clicked, and the server will tell anyhow.
pub fn on_move_on(input: &HtmlInputElement, mut handler: impl FnMut() + 'static) {
    listen(input, "focusout", move |event| {
        let next = event
            .dyn_into::<FocusEvent>()
            .ok()
            .and_then(|event| event.related_target());
        if next.is_some_and(|next| next.has_type::<HtmlInputElement>()) {
            handler();
        }
    });
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
