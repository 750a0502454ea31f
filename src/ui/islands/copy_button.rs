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
    use leptos::{
        prelude::*,
        task::spawn_local,
        web_sys::{Element, HtmlButtonElement, HtmlDocument, HtmlTextAreaElement},
    };
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen_futures::JsFuture;

    use crate::ui::islands::{dom::closest, field::find_input};

    pub fn copy(button: &HtmlButtonElement, status: RwSignal<&'static str>) {
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
        let button = button.clone();
        spawn_local(async move {
            let copied = write_to_clipboard(&text).await || copy_selection(&container, &button, &text);
            status.set(if copied {
                "Copied"
            } else {
                "Your browser blocked copying. Copy the text manually."
            });
        });
    }

    async fn write_to_clipboard(text: &str) -> bool {
        // On pages that are neither https nor localhost, browsers have no clipboard.
        window().is_secure_context()
            && JsFuture::from(window().navigator().clipboard().write_text(text))
                .await
                .is_ok()
    }

    /// Copies the text by the older command, which copies what is selected: a field that exists only for that. It is in
    /// the container because an open dialog makes everything outside of it inert.
    fn copy_selection(container: &Element, button: &HtmlButtonElement, text: &str) -> bool {
        let page: HtmlDocument = document().unchecked_into();
        let Ok(field) = page.create_element("textarea") else {
            return false;
        };
        let field: HtmlTextAreaElement = field.unchecked_into();
        field.set_value(text);
        let _ = container.append_child(&field);
        // Not every browser copies the selection of a field without the focus.
        let _ = field.focus();
        field.select();
        let copied = page.exec_command("copy").unwrap_or(false);
        field.remove();
        let _ = button.focus();
        copied
    }
}
