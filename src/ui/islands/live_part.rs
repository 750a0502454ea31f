//! Keeps the part of the page with the id `live` up to date, until it is told to pause.

use leptos::prelude::*;

#[island]
pub fn LivePart() -> impl IntoView {
    let place = NodeRef::<leptos::html::Button>::new();
    let ready = RwSignal::new(false);
    let live = RwSignal::new(false);
    #[cfg(feature = "hydrate")]
    place.on_load(move |_| {
        ready.set(true);
        browser::keep(live);
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
        web_sys::{Document, DomParser, Element, EventSource, HtmlElement, MessageEvent, SupportedType},
    };
    use wasm_bindgen::JsCast;

    use crate::ui::islands::dom::listen;

    /// What is kept up to date.
    const PLACE: &str = "live";

    /// Listens while `live` is set, which it does now.
    pub fn keep(live: RwSignal<bool>) {
        let source: Rc<RefCell<Option<EventSource>>> = Rc::default();
        live.set(true);
        Effect::new(move |_| {
            if let Some(source) = source.borrow_mut().take() {
                source.close();
            }
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
            if let Some(html) = html.and_then(|message| message.data().as_string()) {
                show(&html);
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

    /// Puts the new contents in the place of the old ones. What is parsed so runs no scripts.
    fn show(html: &str) -> Option<()> {
        let page = document();
        let place = page.get_element_by_id(PLACE)?;
        let parser = DomParser::new().ok()?;
        let parsed: Document = parser.parse_from_string(html, SupportedType::TextHtml).ok()?;
        let focused = focused(&page, &place);
        place.replace_children_with_node_0();
        while let Some(node) = parsed.body()?.first_child() {
            place.append_child(&node).ok()?;
        }
        if let Some(same) = focused {
            let same = place.query_selector(&same).ok()?;
            same?.dyn_into::<HtmlElement>().ok()?.focus().ok()?;
        }
        Some(())
    }

    /// A selector for the link or the form's button that has the focus: who reads by keyboard stays where they are.
    fn focused(page: &Document, place: &Element) -> Option<String> {
        let focused = page
            .active_element()
            .filter(|focused| place.contains(Some(focused)))?;
        if let Some(address) = focused.get_attribute("href") {
            return Some(format!("a[href='{address}']"));
        }
        let form = focused.closest("form[action]").ok()??.get_attribute("action")?;
        Some(format!("form[action='{form}'] button"))
    }
}
