//! Asks the server about the URL while it is typed: what is wrong with it, or unwise.

use leptos::prelude::*;

#[island]
pub fn UrlAdvice() -> impl IntoView {
    let place = NodeRef::<leptos::html::P>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|place| {
        use super::dom::{around, input};

        if let Some(url) = around(&place, ".field").and_then(|field| input(&field, "input")) {
            browser::watch(url, place);
        }
    });
    view! { <p node_ref=place class="field__advice" aria-live="polite"></p> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::Cell, rc::Rc, time::Duration};

    use leptos::{
        prelude::*,
        task::spawn_local,
        web_sys::{HtmlInputElement, HtmlParagraphElement, RequestInit, Response},
    };
    use wasm_bindgen::{JsCast, prelude::wasm_bindgen};
    use wasm_bindgen_futures::JsFuture;

    use crate::ui::islands::dom::{listen, set_error};

    /// How long one has to stop typing before the server is asked.
    const PAUSE: Duration = Duration::from_millis(500);

    pub fn watch(url: HtmlInputElement, advice: HtmlParagraphElement) {
        let asked = Rc::new(Cell::new(0));
        let input = url.clone();
        listen(&input, "input", move |_| {
            let ticket = asked.get() + 1;
            asked.set(ticket);
            let (url, advice, asked) = (url.clone(), advice.clone(), Rc::clone(&asked));
            let ask = move || {
                if asked.get() == ticket {
                    spawn_local(async move {
                        let text = url.value();
                        if text.trim().is_empty() {
                            advice.set_text_content(None);
                        // What was typed since has its own question.
                        } else if let Some(opinion) = ask(&text).await
                            && asked.get() == ticket
                        {
                            show(&url, &advice, &opinion);
                        }
                    });
                }
            };
            set_timeout(ask, PAUSE);
        });
    }

    #[wasm_bindgen]
    extern "C" {
        /// The server's answer, an object of JSON.
        type Opinion;

        #[wasm_bindgen(method, getter)]
        fn error(this: &Opinion) -> Option<String>;

        #[wasm_bindgen(method, getter)]
        fn advice(this: &Opinion) -> String;
    }

    /// `None` without a connection, or signed out: saving will tell.
    async fn ask(url: &str) -> Option<Opinion> {
        let request = RequestInit::new();
        request.set_method("POST");
        request.set_body(&url.into());
        let sent = window().fetch_with_str_and_init("/integrations/webhook/advice", &request);
        let response: Response = JsFuture::from(sent).await.ok()?.dyn_into().ok()?;
        if !response.ok() || response.redirected() {
            return None;
        }
        let opinion = JsFuture::from(response.json().ok()?).await.ok()?;
        Some(opinion.unchecked_into())
    }

    fn show(url: &HtmlInputElement, advice: &HtmlParagraphElement, opinion: &Opinion) {
        set_error(url, opinion.error().as_deref());
        advice.set_text_content(Some(&opinion.advice()));
    }
}
