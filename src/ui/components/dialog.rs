//! Dialogs over a list.

use leptos::prelude::*;

use crate::ui::{islands::modal::Modal, paths, request::query::ListQuery};

/// The id of the form that the “Cancel” button submits. It leads back to the list, also without JavaScript.
pub const CANCEL_FORM: &str = "cancel";

/// The ARIA role of a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DialogRole {
    Dialog,
    /// Asks for a confirmation. The element `dialog-text` describes it.
    AlertDialog,
}

/// Rendered open. With JavaScript it becomes modal, with the same appearance.
#[component]
pub fn Dialog(
    #[prop(into)] title: String,
    #[prop(default = DialogRole::Dialog)] role: DialogRole,
    /// The path of the list under the dialog.
    #[prop(default = paths::LIST)]
    list: &'static str,
    /// The filters of that list.
    #[prop(optional)]
    query: ListQuery,
    children: Children,
) -> impl IntoView {
    let (aria_role, described, class) = match role {
        DialogRole::Dialog => (None, None, "dialog dialog--form"),
        DialogRole::AlertDialog => (Some("alertdialog"), Some("dialog-text"), "dialog dialog--alert"),
    };
    view! {
        <dialog
            class=class
            open=true
            role=aria_role
            aria-modal="true"
            aria-labelledby="dialog-title"
            aria-describedby=described
        >
            <Modal/>
            <div class="dialog__panel">
                <h2 class="dialog__title" id="dialog-title">{title}</h2>
                {children()}
            </div>
            <form id=CANCEL_FORM method="get" action=list data-soft="close"><QueryFields query/></form>
        </dialog>
    }
}

/// A form without visible fields. A button elsewhere in the dialog submits it and so acts as a link.
#[component]
pub fn GetForm(id: &'static str, #[prop(into)] action: String, query: ListQuery) -> impl IntoView {
    view! { <form id=id method="get" action=action data-soft><QueryFields query/></form> }
}

#[component]
fn QueryFields(query: ListQuery) -> impl IntoView {
    let fields = query
        .pairs()
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    fields.collect_view()
}
