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
    use wasm_bindgen::JsCast;
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
                        let answer = ask(&text).await;
                        // What was typed since has its own question.
                        if asked.get() == ticket {
                            show(&url, &advice, answer);
                        }
                    });
                }
            };
            set_timeout(ask, PAUSE);
        });
    }

    enum Answer {
        Wrong(String),
        Advice(String),
        /// No connection, or signed out: saving will tell.
        Unknown,
    }

    async fn ask(url: &str) -> Answer {
        if url.trim().is_empty() {
            return Answer::Advice(String::new());
        }
        match post(url).await {
            Some((422, text)) => Answer::Wrong(text),
            Some((200, text)) => Answer::Advice(text),
            _ => Answer::Unknown,
        }
    }

    async fn post(url: &str) -> Option<(u16, String)> {
        let request = RequestInit::new();
        request.set_method("POST");
        request.set_body(&url.into());
        let sent = window().fetch_with_str_and_init("/integrations/webhook/advice", &request);
        let response: Response = JsFuture::from(sent).await.ok()?.dyn_into().ok()?;
        let text = JsFuture::from(response.text().ok()?).await.ok()?;
        Some((response.status(), text.as_string()?))
    }

    fn show(url: &HtmlInputElement, advice: &HtmlParagraphElement, answer: Answer) {
        let (wrong, text) = match answer {
            Answer::Wrong(text) => (Some(text), None),
            Answer::Advice(text) => (None, Some(text)),
            Answer::Unknown => return,
        };
        set_error(url, wrong.as_deref());
        advice.set_text_content(text.as_deref());
    }
}
