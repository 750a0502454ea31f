//! The open dialog.

use leptos::{
    prelude::*,
    web_sys::{HtmlDialogElement, HtmlFormElement},
};
use wasm_bindgen::JsCast;

use crate::ui::actions::protocol::EncodedForm;

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

/// Returns whether the form of the dialog has unsaved changes: if it differs from a copy with the values that it was
/// rendered with. Rows that were added or removed are marked.
pub fn is_unsaved() -> bool {
    let form = open().and_then(|dialog| dialog.query_selector("form[data-action]").ok()?);
    let copy = form
        .as_ref()
        .and_then(|form| form.clone_node_with_deep(true).ok());
    let forms = form.zip(copy).and_then(|(form, copy)| {
        let forms: (HtmlFormElement, HtmlFormElement) = (form.dyn_into().ok()?, copy.dyn_into().ok()?);
        Some(forms)
    });
    forms.is_some_and(|(form, copy)| {
        copy.reset();
        let fields = |form| EncodedForm::from_form(form, None);
        let differs = fields(&form)
            .zip(fields(&copy))
            .is_some_and(|(now, before)| now.as_str() != before.as_str());
        differs || matches!(form.query_selector("[data-unsaved]"), Ok(Some(_)))
    })
}

/// Returns whether the dialog may be closed. Asks the user if it has unsaved changes.
pub fn may_leave() -> bool {
    !is_unsaved()
        || window()
            .confirm_with_message("Discard unsaved changes?")
            .unwrap_or(true)
}
