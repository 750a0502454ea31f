//! Keeps the element with the id `live` up to date, with a button to pause.

use leptos::prelude::*;

#[island]
pub fn LivePart() -> impl IntoView {
    let node = NodeRef::<leptos::html::Button>::new();
    let ready = RwSignal::new(false);
    let live = RwSignal::new(false);
    let connected = RwSignal::new(true);
    let state = move || match (live.get(), connected.get()) {
        (true, true) => "Live",
        (true, false) => "Reconnecting",
        (false, _) => "Paused",
    };
    #[cfg(feature = "hydrate")]
    node.on_load(move |button| {
        ready.set(true);
        browser::start(button, live, connected);
    });
    view! {
        <div class="live" hidden=move || !ready.get()>
            <span class="live__state" role="status" data-live=move || (state() == "Live").to_string()>
                {state}
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
    use std::{
        cell::{Cell, RefCell},
        rc::Rc,
        time::Duration,
    };

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

    /// Delay after an error response, which browsers do not retry.
    const RETRY_DELAY: Duration = Duration::from_secs(5);

    /// Number of consecutive failed requests until the page counts as disconnected.
    const MAX_FAILURES: u32 = 3;

    /// Sets `live`, and receives updates while it is set and the button is on the page.
    pub fn start(button: HtmlButtonElement, live: RwSignal<bool>, connected: RwSignal<bool>) {
        let source: Rc<RefCell<Option<EventSource>>> = Rc::default();
        let close = {
            let source = Rc::clone(&source);
            move || {
                if let Some(source) = source.borrow_mut().take() {
                    source.close();
                }
            }
        };
        // Leaving the page in place does not remove the island.
        listen(&document(), PAGE_CHANGED, move |_| {
            if !button.is_connected() {
                live.set(false);
            }
        });
        live.set(true);
        // A hidden page asks for nothing.
        let visible = RwSignal::new(!document().hidden());
        listen(&document(), "visibilitychange", move |_| {
            visible.set(!document().hidden());
        });
        let reopen = Trigger::new();
        Effect::new(move |_| {
            reopen.track();
            close();
            if live.get() && visible.get() {
                *source.borrow_mut() = open(connected, reopen);
            }
        });
    }

    fn open(connected: RwSignal<bool>, reopen: Trigger) -> Option<EventSource> {
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
        // Each response ends with an error event, after which the browser asks again.
        let failures = Rc::new(Cell::new(0));
        listen(&source, "open", {
            let failures = Rc::clone(&failures);
            move |_| {
                failures.set(0);
                connected.set(true);
            }
        });
        let stream = source.clone();
        listen(&source, "error", move |_| {
            failures.set(failures.get() + 1);
            let is_closed = stream.ready_state() == EventSource::CLOSED;
            if is_closed {
                set_timeout(move || reopen.notify(), RETRY_DELAY);
            }
            if is_closed || failures.get() >= MAX_FAILURES {
                connected.set(false);
            }
        });
        Some(source)
    }
}
