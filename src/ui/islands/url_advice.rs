//! Shows errors and warnings about the URL while the user types. The server checks the URL.

use leptos::prelude::*;

#[island]
pub fn UrlAdvice() -> impl IntoView {
    let node = NodeRef::<leptos::html::P>::new();
    #[cfg(feature = "hydrate")]
    node.on_load(|advice| {
        use super::{dom::closest, field::find_input};

        if let Some(url) = closest(&advice, ".field").and_then(|field| find_input(&field, "input")) {
            browser::watch(url, advice);
        }
    });
    view! { <p node_ref=node class="field__advice" aria-live="polite"></p> }
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
        actions::{protocol::EncodedForm, webhooks::check_url},
        islands::{dom::listen, field::set_error},
    };

    /// Delay between the last key stroke and the check.
    const DEBOUNCE: Duration = Duration::from_millis(500);

    pub fn watch(url: HtmlInputElement, advice: HtmlParagraphElement) {
        let latest = Rc::new(Cell::new(0));
        let input = url.clone();
        listen(&input, "input", move |_| {
            let number = latest.get() + 1;
            latest.set(number);
            let (url, advice, latest) = (url.clone(), advice.clone(), Rc::clone(&latest));
            let check = move || {
                if latest.get() == number {
                    spawn_local(async move {
                        let text = url.value();
                        if text.trim().is_empty() {
                            advice.set_text_content(None);
                        // A failed check shows nothing, because saving checks the URL again.
                        // Results for older input are dropped.
                        } else if let Some(field) = EncodedForm::from_fields(&[("value", &text)])
                            && let Ok(result) = check_url(field.into()).await
                            && latest.get() == number
                        {
                            set_error(&url, result.error.as_deref());
                            advice.set_text_content(result.advice.as_deref());
                        }
                    });
                }
            };
            set_timeout(check, DEBOUNCE);
        });
    }
}
