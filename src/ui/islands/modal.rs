//! Turns the open dialog around it into a modal one.

use leptos::prelude::*;

/// Gives the dialog the browser's own focus trap and Escape key. Closing it, by Escape or by a click beside it, submits
/// its form “Cancel”. A click beside it does nothing once something was typed.
#[island]
pub fn Modal() -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|place| {
        if let Some(dialog) = super::dom::around(&place, "dialog") {
            browser::upgrade(dialog);
        }
    });
    view! { <span node_ref=place hidden></span> }
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
        // Whoever is typing already keeps typing there.
        let focused = dialog.owner_document().and_then(|page| page.active_element());
        let focused = focused.filter(|element| dialog.contains(Some(element)));
        dialog.set_open(false);
        if dialog.show_modal().is_err() {
            dialog.set_open(true);
            return;
        }
        // Made inert by the server, for those without JavaScript. A modal dialog does it by itself, and gives the focus
        // back to what is under it when it closes.
        if let Some(under) = dialog.previous_element_sibling() {
            let _ = under.remove_attribute("inert");
        }
        if let Some(focused) = focused.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
            let _ = focused.focus();
        }
        // At the press, not at the click: a selection that ends beside the dialog is no click beside it.
        listen(&dialog, "pointerdown", {
            let dialog = dialog.clone();
            move |event| {
                if event.target().as_ref() == Some(dialog.as_ref()) && !is_unsaved() {
                    event.prevent_default();
                    leave(&dialog);
                }
            }
        });
        listen(&dialog.clone(), "cancel", move |event| {
            if event.target().as_ref() == Some(dialog.as_ref()) {
                event.prevent_default();
                leave(&dialog);
            }
        });
    }

    fn leave(dialog: &HtmlDialogElement) {
        let form = dialog.query_selector("#cancel").ok().flatten();
        if let Some(form) = form.and_then(|form| form.dyn_into::<HtmlFormElement>().ok()) {
            let _ = form.request_submit();
        }
    }
}
