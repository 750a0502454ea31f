//! Checks the webhook's name when one leaves the field: with the server's own code, and whether it is taken.

use leptos::prelude::*;

#[island]
pub fn NameCheck() -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|place| {
        use super::{dom::around, field::input};

        if let Some(name) = around(&place, ".field").and_then(|field| input(&field, "input")) {
            browser::watch(name);
        }
    });
    view! { <span node_ref=place hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{task::spawn_local, web_sys::HtmlInputElement};
    use wasm_bindgen::JsCast;

    use crate::{
        domain::WebhookName,
        ui::{
            actions::{protocol::Encoded, webhooks::check_name},
            islands::field::{on_move_on, set_error},
        },
    };

    pub fn watch(name: HtmlInputElement) {
        on_move_on(&name.clone(), move || {
            let text = name.value();
            if let Err(error) = WebhookName::parse(&text) {
                set_error(&name, Some(&error.to_string()));
                return;
            }
            set_error(&name, None);
            let fields = Encoded::fields(&[("name", &text), ("id", &own_id(&name))]);
            let name = name.clone();
            spawn_local(async move {
                // Without an answer, saving will tell. What was typed since has its own question.
                if let Some(fields) = fields
                    && let Ok(advice) = check_name(fields.into()).await
                    && name.value() == text
                {
                    set_error(&name, advice.error.as_deref());
                }
            });
        });
    }

    /// The webhook that is being edited has its own name.
    fn own_id(name: &HtmlInputElement) -> String {
        let id = name.form().and_then(|form| form.elements().named_item("id"));
        let id = id.and_then(|id| id.dyn_into::<HtmlInputElement>().ok());
        id.map(|id| id.value()).unwrap_or_default()
    }
}
