//! Copies the text beside it: the value of the input, or the text of the `code`, in the `.copied` around it.

use leptos::prelude::*;

#[island]
pub fn CopyButton() -> impl IntoView {
    let button = NodeRef::<leptos::html::Button>::new();
    let ready = RwSignal::new(false);
    let status = RwSignal::new("");
    #[cfg(feature = "hydrate")]
    button.on_load(move |_| ready.set(true));
    let copy = move |_| {
        #[cfg(feature = "hydrate")]
        if let Some(button) = button.get_untracked() {
            browser::copy(&button, status);
        }
    };
    view! {
        <button
            node_ref=button
            class="button button--small"
            type="button"
            hidden=move || !ready.get()
            on:click=copy
        >
            "Copy"
        </button>
        <span class="field__status" role="status">{move || status.get()}</span>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{prelude::*, task::spawn_local, web_sys::Element};
    use wasm_bindgen_futures::JsFuture;

    use crate::ui::islands::{dom::around, field::input};

    pub fn copy(button: &Element, status: RwSignal<&'static str>) {
        let Some(around) = around(button, ".copied") else {
            return;
        };
        let text = input(&around, "input").map(|input| input.value()).or_else(|| {
            around
                .query_selector("code")
                .ok()
                .flatten()
                .and_then(|code| code.text_content())
        });
        let Some(text) = text else { return };
        spawn_local(async move {
            // Refused where the page is neither local nor https: then the text has to be copied by hand.
            let clipboard = window().navigator().clipboard();
            let copied = JsFuture::from(clipboard.write_text(&text)).await.is_ok();
            status.set(if copied {
                "Copied"
            } else {
                "Copy it by hand: the browser refused."
            });
        });
    }
}
