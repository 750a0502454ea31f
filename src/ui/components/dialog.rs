//! A dialog over the list.

use leptos::prelude::*;

use crate::ui::{islands::modal::Modal, paths, query::ListQuery};

/// The form whose button “Cancel” leads back to the list; a real form, so that it works without a script.
pub const CANCEL: &str = "cancel";

/// What the dialog is to assistive technology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    Dialog,
    /// Asks something that must be answered; described by the element `dialog-text`.
    Alert,
}

/// Open from the start; with a script it becomes a modal one, which looks the same.
#[component]
pub fn Dialog(
    #[prop(into)] title: String,
    #[prop(default = Urgency::Dialog)] urgency: Urgency,
    /// The list to go back to,
    #[prop(default = paths::LIST)]
    list: &'static str,
    /// with this query.
    #[prop(optional)]
    query: ListQuery,
    children: Children,
) -> impl IntoView {
    let (role, described) = match urgency {
        Urgency::Dialog => (None, None),
        Urgency::Alert => (Some("alertdialog"), Some("dialog-text")),
    };
    let class = if urgency == Urgency::Alert {
        "dialog dialog--alert"
    } else {
        "dialog dialog--form"
    };
    view! {
        <dialog
            class=class
            open=true
            role=role
            aria-modal="true"
            aria-labelledby="dialog-title"
            aria-describedby=described
        >
            <Modal/>
            <div class="dialog__panel">
                <h2 class="dialog__title" id="dialog-title">{title}</h2>
                {children()}
            </div>
            <GetForm id=CANCEL action=list query/>
        </dialog>
    }
}

/// A form without fields of its own: a button elsewhere in the dialog follows it like a link.
#[component]
pub fn GetForm(id: &'static str, #[prop(into)] action: String, query: ListQuery) -> impl IntoView {
    let fields = query
        .pairs()
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    view! { <form id=id method="get" action=action>{fields.collect_view()}</form> }
}
