//! Keeps the part of the page with the id `live` up to date, until it is told to pause.

use leptos::prelude::*;

#[island]
pub fn LivePart() -> impl IntoView {
    let place = NodeRef::<leptos::html::Button>::new();
    let ready = RwSignal::new(false);
    let live = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    place.on_load(move |button| {
        ready.set(true);
        browser::keep(button, live);
    });
    view! {
        <div class="live" hidden=move || !ready.get()>
            <span class="live__state" role="status" data-live=move || live.get().to_string()>
                {move || if live.get() { "Live" } else { "Paused" }}
            </span>
            <button
                node_ref=place
                class="button button--small"
                type="button"
                on:click=move |_| live.update(|live| *live = !*live)
            >
                {move || if live.get() { "Pause" } else { "Go live" }}
            </button>
        </div>
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::RefCell, rc::Rc};

    use leptos::{
        prelude::*,
        web_sys::{EventSource, HtmlButtonElement, MessageEvent},
    };
    use wasm_bindgen::JsCast;

    use crate::ui::islands::{
        dom::{CHANGED, listen},
        navigator::morph,
    };

    /// What is kept up to date.
    const PLACE: &str = "live";

    /// Listens while `live` is set, which it does now, and for as long as the button is on the page.
    pub fn keep(button: HtmlButtonElement, live: RwSignal<bool>) {
        let source: Rc<RefCell<Option<EventSource>>> = Rc::default();
        let close = {
            let source = Rc::clone(&source);
            move || {
                if let Some(source) = source.borrow_mut().take() {
                    source.close();
                }
            }
        };
        // A browser has few connections to a server: the next stream needs this one's.
        listen(&document(), CHANGED, {
            let close = close.clone();
            move |_| {
                if !button.is_connected() {
                    close();
                }
            }
        });
        live.set(true);
        Effect::new(move |_| {
            close();
            if live.get() {
                *source.borrow_mut() = open(live);
            }
        });
    }

    fn open(live: RwSignal<bool>) -> Option<EventSource> {
        let here = window().location();
        let address = format!("{}/live{}", here.pathname().ok()?, here.search().ok()?);
        let source = EventSource::new(&address).ok()?;
        listen(&source, "change", |event| {
            let html = event.dyn_into::<MessageEvent>().ok();
            let html = html.and_then(|message| message.data().as_string());
            if let (Some(html), Some(place)) = (html, document().get_element_by_id(PLACE)) {
                morph::replace_contents(&place, &html);
            }
        });
        let closed = source.clone();
        listen(&source, "error", move |_| {
            // After a broken connection the browser tries again; after a refusal it does not.
            if closed.ready_state() == EventSource::CLOSED {
                live.set(false);
            }
        });
        Some(source)
    }
}
