//! Checks the webhook's name when one leaves the field, with the server's own code.

use leptos::prelude::*;

#[island]
pub fn NameCheck() -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|place| {
        use super::dom::{around, input, on_move_on, set_error};
        use crate::domain::WebhookName;

        let Some(name) = around(&place, ".field").and_then(|field| input(&field, "input")) else {
            return;
        };
        on_move_on(&name.clone(), move || {
            let error = WebhookName::parse(&name.value())
                .err()
                .map(|error| error.to_string());
            set_error(&name, error.as_deref());
        });
    });
    view! { <span node_ref=place hidden></span> }
}
