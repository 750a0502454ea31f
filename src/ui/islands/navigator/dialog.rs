//! The dialog over the page, if one is open.

use leptos::{
    prelude::*,
    web_sys::{HtmlDialogElement, HtmlInputElement, HtmlSelectElement},
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

/// Whether a form of the dialog holds what was typed or chosen and not saved.
pub fn is_unsaved() -> bool {
    open()
        .and_then(|dialog| {
            let controls = dialog
                .query_selector_all("form[data-action] input:not([type=hidden]), form[data-action] select")
                .ok()?;
            let mut controls = (0..controls.length()).filter_map(|at| controls.get(at));
            Some(
                controls.any(|control| match control.dyn_into::<HtmlInputElement>() {
                    Ok(input) => match &*input.type_() {
                        // A box that stands for several follows them.
                        "checkbox" | "radio" => {
                            !input.indeterminate()
                                && input.checked() != input.default_checked()
                                && input.id() != "insights"
                        }
                        _ => input.value() != input.default_value(),
                    },
                    Err(control) => control.dyn_into::<HtmlSelectElement>().is_ok_and(|select| {
                        let options = select.options();
                        (0..options.length()).any(|at| {
                            let option = options.get_with_index(at);
                            let option = option.and_then(|option| {
                                option.dyn_into::<leptos::web_sys::HtmlOptionElement>().ok()
                            });
                            option.is_some_and(|option| option.selected() && !option.default_selected())
                        })
                    }),
                }),
            )
        })
        .unwrap_or_default()
}

/// Asks, if something would be lost.
pub fn may_leave() -> bool {
    !is_unsaved()
        || window()
            .confirm_with_message("Discard what you have not saved?")
            .unwrap_or(true)
}
