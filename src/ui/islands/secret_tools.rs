//! Tools for the secret field: show, generate, and warn about weak secrets.

use leptos::prelude::*;

/// Masks the secret, and adds the buttons “Show” and “Generate new” and a hint for the entered secret.
#[island]
pub fn SecretTools() -> impl IntoView {
    let node = NodeRef::<leptos::html::Button>::new();
    let ready = RwSignal::new(false);
    let shown = RwSignal::new(false);
    let hint = RwSignal::new(String::new());
    #[cfg(feature = "hydrate")]
    node.on_load(move |button| {
        if let Some(input) = browser::secret_input(&button) {
            browser::watch(&input, hint);
            ready.set(true);
            Effect::new(move || input.set_type(if shown.get() { "text" } else { "password" }));
        }
    });
    let generate = move |_| {
        #[cfg(feature = "hydrate")]
        if let Some(input) = node
            .get_untracked()
            .and_then(|button| browser::secret_input(&button))
        {
            browser::generate(&input);
            hint.set(String::new());
        }
    };
    view! {
        <button
            node_ref=node
            class="button button--small"
            type="button"
            hidden=move || !ready.get()
            on:click=move |_| shown.update(|shown| *shown = !*shown)
        >
            {move || if shown.get() { "Hide" } else { "Show" }}
        </button>
        <button class="button button--small" type="button" hidden=move || !ready.get() on:click=generate>
            "Generate new"
        </button>
        <p class="field__advice" aria-live="polite">{move || hint.get()}</p>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{
        prelude::*,
        web_sys::{Element, Event, HtmlInputElement},
    };

    use crate::{
        domain::Secret,
        ui::islands::{
            dom::{closest, listen},
            field::{find_input, on_leave, set_error},
        },
    };

    pub fn secret_input(inside: &Element) -> Option<HtmlInputElement> {
        find_input(&closest(inside, ".field")?, "input")
    }

    /// Shows hints while the user types, and errors after the user leaves the field.
    pub fn watch(secret: &HtmlInputElement, hint: RwSignal<String>) {
        listen(secret, "input", {
            let secret = secret.clone();
            move |_| match Secret::parse(&secret.value()) {
                Ok(parsed) => {
                    set_error(&secret, None);
                    hint.set(advice(&parsed));
                }
                Err(_) => hint.set(String::new()),
            }
        });
        on_leave(secret, {
            let secret = secret.clone();
            move || {
                let text = secret.value();
                let error = if text.trim().is_empty() {
                    None
                } else {
                    Secret::parse(&text).err()
                };
                set_error(&secret, error.map(|error| error.to_string()).as_deref());
            }
        });
    }

    fn advice(secret: &Secret) -> String {
        let mut advice = secret.weakness().unwrap_or_default().to_owned();
        if secret.is_raw_text() {
            advice.push_str(" Standard Webhooks libraries take it as ");
            advice.push_str(&secret.to_whsec());
        }
        advice
    }

    pub fn generate(input: &HtmlInputElement) {
        let mut random = [0; Secret::GENERATED_LENGTH];
        let filled = window()
            .crypto()
            .and_then(|crypto| crypto.get_random_values_with_u8_array(&mut random));
        if filled.is_ok() {
            input.set_value(Secret::from_random(random).reveal());
            set_error(input, None);
            // Setting the value fires no event, but other scripts must learn that the form has changed.
            if let Ok(event) = Event::new("input") {
                let _ = input.dispatch_event(&event);
            }
        }
    }
}
