//! Turns the open dialog that contains it into a modal dialog.

use leptos::prelude::*;

/// Gives the dialog the focus trap and the Escape key of the browser. Escape and a click outside of the dialog submit its
/// form “Cancel”. A click outside does nothing if the dialog has unsaved changes.
#[island]
pub fn Modal() -> impl IntoView {
    let node = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    node.on_load(|node| {
        if let Some(dialog) = super::dom::closest(&node, "dialog") {
            browser::upgrade(dialog);
        }
    });
    view! { <span node_ref=node hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlFormElement};
    use wasm_bindgen::JsCast;

    use crate::ui::islands::{dom::listen, navigator::is_unsaved};

    pub fn upgrade(dialog: Element) {
        let Ok(dialog) = dialog.dyn_into::<HtmlDialogElement>() else {
            return;
        };
        // Opening the dialog moves the focus. It is restored below, in case the user is typing already.
        let focused = dialog.owner_document().and_then(|page| page.active_element());
        let focused = focused.filter(|element| dialog.contains(Some(element)));
        dialog.set_open(false);
        if dialog.show_modal().is_err() {
            dialog.set_open(true);
            return;
        }
        // The server makes the page inert for browsers without JavaScript. A modal dialog makes it inert itself, and
        // returns the focus to it on close.
        if let Some(page) = dialog.previous_element_sibling() {
            let _ = page.remove_attribute("inert");
        }
        if let Some(focused) = focused.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let _ = focused.focus();
        }
        // Not `click`, which also fires for a text selection that ends outside of the dialog.
        listen(&dialog, "pointerdown", {
            let dialog = dialog.clone();
            move |event| {
                if event.target().as_ref() == Some(dialog.as_ref()) && !is_unsaved() {
                    event.prevent_default();
                    cancel(&dialog);
                }
            }
        });
        listen(&dialog.clone(), "cancel", move |event| {
            if event.target().as_ref() == Some(dialog.as_ref()) {
                event.prevent_default();
                cancel(&dialog);
            }
        });
    }

    fn cancel(dialog: &HtmlDialogElement) {
        let form = dialog.query_selector("#cancel").ok().flatten();
        if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
            let _ = form.request_submit();
        }
    }
}
