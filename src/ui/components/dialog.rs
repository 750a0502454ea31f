//! A dialog over a list.

use leptos::prelude::*;

use crate::ui::{islands::modal::Modal, paths, request::query::ListQuery};

/// The form whose button “Cancel” leads back to the list; a real form, so that it works without JavaScript.
pub const CANCEL: &str = "cancel";

/// What the dialog is to assistive technology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    Dialog,
    /// Asks something that must be answered; described by the element `dialog-text`.
    Alert,
}

/// Open from the start; with JavaScript it becomes a modal one, which looks the same.
#[component]
pub fn Dialog(
    #[prop(into)] title: String,
    #[prop(default = Urgency::Dialog)] urgency: Urgency,
    /// The path of the list to go back to.
    #[prop(default = paths::LIST)]
    list: &'static str,
    /// The filters of that list.
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
            <form id=CANCEL method="get" action=list data-soft="close"><QueryFields query/></form>
        </dialog>
    }
}

/// A form without visible fields: a button elsewhere in the dialog follows it like a link.
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
