//! The open dialog.

use leptos::{
    prelude::*,
    web_sys::{HtmlDialogElement, HtmlInputElement},
};
use wasm_bindgen::JsCast;

/// Returns the open dialog, if there is one.
pub fn open() -> Option<HtmlDialogElement> {
    document().query_selector("dialog[open]").ok()??.dyn_into().ok()
}

/// Closes the dialog. The browser returns the focus to the element that opened it.
pub fn close() {
    if let Some(dialog) = open() {
        dialog.close();
        dialog.remove();
    }
}

/// Returns whether a form of the dialog has unsaved changes.
pub fn is_unsaved() -> bool {
    let inputs = open().and_then(|dialog| {
        dialog
            .query_selector_all("form[data-action] input:not([type=hidden])")
            .ok()
    });
    inputs.is_some_and(|inputs| {
        let mut inputs = (0..inputs.length()).filter_map(|at| inputs.get(at)?.dyn_into().ok());
        inputs.any(|input: HtmlInputElement| match &*input.type_() {
            "checkbox" | "radio" => input.checked() != input.default_checked(),
            _ => input.value() != input.default_value(),
        })
    })
}

/// Returns whether the dialog may be closed. Asks the user if it has unsaved changes.
pub fn may_leave() -> bool {
    !is_unsaved()
        || window()
            .confirm_with_message("Discard unsaved changes?")
            .unwrap_or(true)
}
