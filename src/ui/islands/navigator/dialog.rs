//! The dialog over the page, if one is open.

use leptos::{
    prelude::*,
    web_sys::{HtmlDialogElement, HtmlInputElement},
};
use wasm_bindgen::JsCast;

/// The open dialog.
pub fn open() -> Option<HtmlDialogElement> {
    document().query_selector("dialog[open]").ok()??.dyn_into().ok()
}

/// Closes it: the browser gives the focus back to what opened it.
pub fn close() {
    if let Some(dialog) = open() {
        dialog.close();
        dialog.remove();
    }
}

/// Whether a form of the dialog holds what was typed or ticked and not saved.
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

/// Asks, if something would be lost.
pub fn may_leave() -> bool {
    !is_unsaved()
        || window()
            .confirm_with_message("Discard what you have not saved?")
            .unwrap_or(true)
}
