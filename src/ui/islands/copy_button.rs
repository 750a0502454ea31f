//! A button that copies the value of the `input`, or the text of the `code`, in the closest `.copied` element.

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

    use crate::ui::islands::{dom::closest, field::find_input};

    pub fn copy(button: &Element, status: RwSignal<&'static str>) {
        let Some(container) = closest(button, ".copied") else {
            return;
        };
        let text = find_input(&container, "input")
            .map(|input| input.value())
            .or_else(|| {
                container
                    .query_selector("code")
                    .ok()
                    .flatten()
                    .and_then(|code| code.text_content())
            });
        let Some(text) = text else { return };
        spawn_local(async move {
            // Browsers block this on pages that are neither https nor localhost.
            let clipboard = window().navigator().clipboard();
            let copied = JsFuture::from(clipboard.write_text(&text)).await.is_ok();
            status.set(if copied {
                "Copied"
            } else {
                "Your browser blocked copying. Copy the text manually."
            });
        });
    }
}
