//! Checks the name of a webhook on the server when the field loses focus.

use leptos::prelude::*;

#[island]
pub fn NameCheck() -> impl IntoView {
    let node = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    node.on_load(|node| {
        use super::{dom::closest, field::find_input};

        if let Some(name) = closest(&node, ".field").and_then(|field| find_input(&field, "input")) {
            browser::watch(name);
        }
    });
    view! { <span node_ref=node hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{task::spawn_local, web_sys::HtmlInputElement};
    use wasm_bindgen::JsCast;

    use crate::ui::{
        actions::{protocol::EncodedForm, webhooks::check_name},
        islands::field::{on_leave, set_error},
    };

    pub fn watch(name: HtmlInputElement) {
        on_leave(&name.clone(), move || {
            let text = name.value();
            let fields = EncodedForm::from_fields(&[("name", &text), ("id", &webhook_id(&name))]);
            let name = name.clone();
            spawn_local(async move {
                // A failed check shows nothing, because saving checks the name again. Results for older input are dropped.
                if let Some(fields) = fields
                    && let Ok(result) = check_name(fields.into()).await
                    && name.value() == text
                {
                    set_error(&name, result.error.as_deref());
                }
            });
        });
    }

    /// Returns the ID of the edited webhook, whose own name is not taken. Empty for a new webhook.
    fn webhook_id(name: &HtmlInputElement) -> String {
        let id = name.form().and_then(|form| form.elements().named_item("id"));
        let id = id.and_then(|id| id.dyn_into::<HtmlInputElement>().ok());
        id.map(|id| id.value()).unwrap_or_default()
    }
}
