//! Changes the page that is there instead of loading another one.
//!
//! Links and forms say in their attributes what they are for; everything also works without this island:
//!
//! | attribute | with JavaScript |
//! |---|---|
//! | `a[data-soft]`, `form[data-soft]` | the address is fetched, and what differs on the page is changed |
//! | `form[data-soft=live]` | the same, also while one types |
//! | `a[data-soft=clear]` | the fields of that form are emptied first |
//! | `form[data-soft=close]` | the dialog closes first |
//! | `[data-action=PATH]` | the server function at this path is called; its outcome or its refusal is shown |
//!
//! Navigation is `page`, forms are `forms`, what is said about them is `notices`, and `morph` changes what differs.

use leptos::prelude::*;

#[cfg(feature = "hydrate")]
mod dialog;
#[cfg(feature = "hydrate")]
mod forms;
#[cfg(feature = "hydrate")]
pub mod morph;
#[cfg(feature = "hydrate")]
mod notices;
#[cfg(feature = "hydrate")]
mod page;

#[cfg(feature = "hydrate")]
pub use dialog::is_unsaved;

#[island]
pub fn Navigator() -> impl IntoView {
    let place = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    place.on_load(|_| browser::start());
    view! { <span node_ref=place hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::Cell, rc::Rc, time::Duration};

    use leptos::{
        leptos_dom::helpers::TimeoutHandle,
        prelude::*,
        task::spawn_local,
        web_sys::{Element, Event, HtmlFormElement, MouseEvent, PageTransitionEvent, SubmitEvent},
    };
    use wasm_bindgen::JsCast;

    use super::{
        dialog, forms,
        page::{Entry, Navigation},
    };
    use crate::ui::islands::dom::listen;

    /// How long one has to stop typing before a filter applies.
    const PAUSE: Duration = Duration::from_millis(250);

    /// Listens to the whole document: links and forms come and go.
    pub fn start() {
        let (page, navigation) = (document(), Navigation::new());
        navigation.popped();
        listen(&page, "click", {
            let navigation = Rc::clone(&navigation);
            move |event| {
                if let Some((address, kind)) = followed(&event) {
                    event.prevent_default();
                    if kind == "clear" {
                        forms::clear_filters();
                    }
                    if dialog::may_leave() {
                        navigation.visit(address, Entry::Push);
                    }
                }
            }
        });
        // What is typed into a filter waits here; whatever else is asked for comes first, and includes it.
        let waiting: Rc<Cell<Option<TimeoutHandle>>> = Rc::default();
        let forget = move |waiting: &Cell<Option<TimeoutHandle>>| {
            if let Some(waiting) = waiting.take() {
                waiting.clear();
            }
        };
        listen(&page, "submit", {
            let (navigation, waiting) = (Rc::clone(&navigation), Rc::clone(&waiting));
            move |event| {
                forget(&waiting);
                submit(&navigation, event);
            }
        });
        listen(&page, "input", {
            let navigation = Rc::clone(&navigation);
            move |event| {
                let Some(form) = filters(&event) else { return };
                forget(&waiting);
                let navigation = Rc::clone(&navigation);
                let apply = move || navigation.visit(forms::address(&form), Entry::Typed);
                waiting.set(set_timeout_with_handle(apply, PAUSE).ok());
            }
        });
        listen(&window(), "popstate", {
            let navigation = Rc::clone(&navigation);
            move |_| navigation.popped()
        });
        listen(&window(), "beforeunload", |event| {
            if dialog::is_unsaved() {
                event.prevent_default();
            }
        });
        // From the browser's history, as it was when it was left.
        listen(&window(), "pageshow", move |event| {
            if event.unchecked_ref::<PageTransitionEvent>().persisted() {
                navigation.refresh();
            }
        });
    }

    /// The address and the kind of a link that was clicked to be followed here, not in another tab or window.
    fn followed(event: &Event) -> Option<(String, String)> {
        let mouse: &MouseEvent = event.dyn_ref()?;
        let elsewhere = mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key() || mouse.alt_key();
        if elsewhere || mouse.button() != 0 || event.default_prevented() {
            return None;
        }
        let target: Element = event.target()?.dyn_into().ok()?;
        let link = target.closest("a[data-soft]").ok()??;
        Some((link.get_attribute("href")?, link.get_attribute("data-soft")?))
    }

    /// The form with filters in which something was typed or chosen.
    fn filters(event: &Event) -> Option<HtmlFormElement> {
        let target: Element = event.target()?.dyn_into().ok()?;
        target.closest("form[data-soft=live]").ok()??.dyn_into().ok()
    }

    fn submit(navigation: &Rc<Navigation>, event: Event) {
        let Ok(event) = event.dyn_into::<SubmitEvent>() else {
            return;
        };
        let target = event
            .target()
            .and_then(|form| form.dyn_into::<HtmlFormElement>().ok());
        let Some(form) = target else { return };
        let submitter = event.submitter();
        let named = |element: &Element| element.get_attribute("data-action");
        let function = submitter.as_deref().and_then(named).or_else(|| named(&form));
        if let Some(function) = function {
            event.prevent_default();
            spawn_local(forms::submit(Rc::clone(navigation), form, submitter, function));
            return;
        }
        let Some(kind) = form.get_attribute("data-soft") else {
            return;
        };
        event.prevent_default();
        let address = forms::address(&form);
        if kind == "close" {
            // Whoever presses “Cancel” says so; by Escape it may be a slip.
            if submitter.is_some() || dialog::may_leave() {
                navigation.uncover(&address, Entry::Replace);
            }
        } else if dialog::may_leave() {
            navigation.visit(address, Entry::Push);
        }
    }
}
