//! Asks the server about the URL while it is typed: what is wrong with it, or unwise.

use leptos::prelude::*;

#[island]
pub fn UrlAdvice() -> impl IntoView {
    let place = NodeRef::<leptos::html::P>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|place| {
        use super::{dom::around, field::input};

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
        web_sys::{HtmlInputElement, HtmlParagraphElement},
    };

    use crate::ui::{
        actions::{protocol::Encoded, webhooks::check_url},
        islands::{dom::listen, field::set_error},
    };

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
                        // Without an answer, saving will tell.
                        } else if let Some(field) = Encoded::fields(&[("value", &text)])
                            && let Ok(opinion) = check_url(field.into()).await
                            && asked.get() == ticket
                        {
                            set_error(&url, opinion.error.as_deref());
                            advice.set_text_content(opinion.advice.as_deref());
                        }
                    });
                }
            };
            set_timeout(ask, PAUSE);
        });
    }
}
