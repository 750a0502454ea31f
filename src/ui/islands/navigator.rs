//! Client-side navigation: updates the current page instead of loading another document.
//!
//! The attributes of links and forms select the behavior. Without this island, they work as plain links and forms.
//!
//! | attribute | with JavaScript |
//! |---|---|
//! | `a[data-soft]`, `form[data-soft]` | fetches the URL and updates the parts of the page that differ |
//! | `form[data-soft=live]` | the same, also while the user types |
//! | `a[data-soft=clear]` | clears the fields of that form first |
//! | `form[data-soft=close]` | closes the dialog first |
//! | `[data-action=PATH]` | calls the server function at this path and shows its outcome or refusal |
//! | `[data-part=ID]` | the element that the result of this button replaces |
//! | `[data-previewed]` | typing in it calls the function in `[data-preview=PATH]`, and replaces that element |
//!
//! `page` navigates, `forms` submits forms, `notices` shows their results, and `morph` updates the document.

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
    let node = NodeRef::<leptos::html::Span>::new();
    #[cfg(feature = "hydrate")]
    node.on_load(|_| browser::start());
    view! { <span node_ref=node hidden></span> }
}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::Cell, rc::Rc, time::Duration};

    use leptos::{
        leptos_dom::helpers::TimeoutHandle,
        prelude::*,
        task::spawn_local,
        web_sys::{
            Element, Event, HtmlFormElement, InputEvent, MouseEvent, PageTransitionEvent, SubmitEvent,
        },
    };
    use wasm_bindgen::JsCast;

    use super::{
        dialog, forms,
        page::{HistoryEntry, Navigation},
    };
    use crate::ui::islands::dom::listen;

    /// Delay between the last key stroke in a filter and its request.
    const FILTER_DEBOUNCE: Duration = Duration::from_millis(250);

    /// Adds listeners to the document, because links and forms are added and removed.
    pub fn start() {
        let (page, navigation) = (document(), Navigation::new());
        navigation.on_popstate();
        listen(&page, "click", {
            let navigation = Rc::clone(&navigation);
            move |event| {
                if let Some((url, kind)) = clicked_link(&event) {
                    event.prevent_default();
                    if kind == "clear" {
                        forms::clear_filters();
                    }
                    if dialog::may_leave() {
                        navigation.navigate(url, HistoryEntry::Push);
                    }
                }
            }
        });
        // The pending request of a filter. A submission cancels it, because it includes the same fields.
        let pending: Rc<Cell<Option<TimeoutHandle>>> = Rc::default();
        // Number of changes in fields with a preview.
        let typed: Rc<Cell<u32>> = Rc::default();
        let cancel = move |pending: &Cell<Option<TimeoutHandle>>| {
            if let Some(timeout) = pending.take() {
                timeout.clear();
            }
        };
        listen(&page, "submit", {
            let (navigation, pending) = (Rc::clone(&navigation), Rc::clone(&pending));
            move |event| {
                cancel(&pending);
                submit(&navigation, event);
            }
        });
        // The input method of many alphabets first shows letters that its user then replaces.
        for changed in ["input", "compositionend"] {
            let (navigation, pending) = (Rc::clone(&navigation), Rc::clone(&pending));
            let typed = Rc::clone(&typed);
            listen(&page, changed, move |event| {
                if is_composing(&event) {
                    return;
                }
                let filter = closest_form(&event, "form[data-soft=live]");
                let Some(form) = filter
                    .clone()
                    .or_else(|| closest_form(&event, "[data-previewed]"))
                else {
                    return;
                };
                cancel(&pending);
                let (navigation, is_filter) = (Rc::clone(&navigation), filter.is_some());
                let (typed, number) = (Rc::clone(&typed), typed.get() + 1);
                typed.set(number);
                let apply = move || {
                    if is_filter {
                        navigation.navigate(forms::url(&form), HistoryEntry::Typing);
                    } else {
                        spawn_local(forms::preview(form, move || typed.get() == number));
                    }
                };
                pending.set(set_timeout_with_handle(apply, FILTER_DEBOUNCE).ok());
            });
        }
        listen(&window(), "popstate", {
            let navigation = Rc::clone(&navigation);
            move |_| navigation.on_popstate()
        });
        listen(&window(), "beforeunload", |event| {
            if dialog::is_unsaved() {
                event.prevent_default();
            }
        });
        // A page restored from the back-forward cache may be stale.
        listen(&window(), "pageshow", move |event| {
            if event.unchecked_ref::<PageTransitionEvent>().persisted() {
                navigation.refresh();
            }
        });
    }

    /// Returns the URL and the kind of a clicked link, unless it opens in another tab or window.
    fn clicked_link(event: &Event) -> Option<(String, String)> {
        let mouse: &MouseEvent = event.dyn_ref()?;
        let opens_elsewhere = mouse.ctrl_key() || mouse.meta_key() || mouse.shift_key() || mouse.alt_key();
        if opens_elsewhere || mouse.button() != 0 || event.default_prevented() {
            return None;
        }
        let target: Element = event.target()?.dyn_into().ok()?;
        let link = target.closest("a[data-soft]").ok()??;
        Some((link.get_attribute("href")?, link.get_attribute("data-soft")?))
    }

    /// Returns the form of the changed field if an element around the field matches the selector.
    fn closest_form(event: &Event, selector: &str) -> Option<HtmlFormElement> {
        let target: Element = event.target()?.dyn_into().ok()?;
        target
            .closest(selector)
            .ok()??
            .closest("form")
            .ok()??
            .dyn_into()
            .ok()
    }

    fn is_composing(event: &Event) -> bool {
        event
            .dyn_ref::<InputEvent>()
            .is_some_and(InputEvent::is_composing)
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
        let url = forms::url(&form);
        if kind == "close" {
            // The button “Cancel” discards changes without asking. Escape has no submitter, and asks.
            if submitter.is_some() || dialog::may_leave() {
                navigation.close_dialog(&url, HistoryEntry::Replace);
            }
        } else if dialog::may_leave() {
            navigation.navigate(url, HistoryEntry::Push);
        }
    }
}
