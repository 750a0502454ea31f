//! Keeps the element with the id `live` up to date, with a button to pause.

use leptos::prelude::*;

#[island]
pub fn LivePart() -> impl IntoView {
    let node = NodeRef::<leptos::html::Button>::new();
    let ready = RwSignal::new(false);
    let live = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    node.on_load(move |button| {
        ready.set(true);
        browser::start(button, live);
    });
    view! {
        <div class="live" hidden=move || !ready.get()>
            <span class="live__state" role="status" data-live=move || live.get().to_string()>
                {move || if live.get() { "Live" } else { "Paused" }}
            </span>
            <button
                node_ref=node
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
        dom::{PAGE_CHANGED, listen},
        navigator::morph,
    };

    /// ID of the element that is kept up to date.
    const LIVE_ELEMENT: &str = "live";

    /// Sets `live`, and receives updates while it is set and the button is on the page.
    pub fn start(button: HtmlButtonElement, live: RwSignal<bool>) {
        let source: Rc<RefCell<Option<EventSource>>> = Rc::default();
        let close = {
            let source = Rc::clone(&source);
            move || {
                if let Some(source) = source.borrow_mut().take() {
                    source.close();
                }
            }
        };
        // The browser would ask for updates of a page that is gone.
        listen(&document(), PAGE_CHANGED, {
            let close = close.clone();
            move |_| {
                if !button.is_connected() {
                    close();
                }
            }
        });
        live.set(true);
        // A hidden page asks for nothing.
        let visible = RwSignal::new(!document().hidden());
        listen(&document(), "visibilitychange", move |_| {
            visible.set(!document().hidden());
        });
        Effect::new(move |_| {
            close();
            if live.get() && visible.get() {
                *source.borrow_mut() = open(live);
            }
        });
    }

    fn open(live: RwSignal<bool>) -> Option<EventSource> {
        let location = window().location();
        let url = format!("{}/live{}", location.pathname().ok()?, location.search().ok()?);
        let source = EventSource::new(&url).ok()?;
        listen(&source, "change", |event| {
            let html = event.dyn_into::<MessageEvent>().ok();
            let html = html.and_then(|message| message.data().as_string());
            if let (Some(html), Some(element)) = (html, document().get_element_by_id(LIVE_ELEMENT)) {
                morph::replace_contents(&element, &html);
            }
        });
        let stream = source.clone();
        listen(&source, "error", move |_| {
            // The browser reconnects after a broken connection, but not after an error response.
            if stream.ready_state() == EventSource::CLOSED {
                live.set(false);
            }
        });
        Some(source)
    }
}
