//! Forms whose change a server function makes.

use std::rc::Rc;

use leptos::{
    prelude::*,
    web_sys::{Element, HtmlElement, HtmlFormElement, HtmlInputElement, HtmlSelectElement},
};
use wasm_bindgen::JsCast;

use super::{
    dialog, morph, notices,
    page::{Entry, Navigation, announce},
};
use crate::ui::actions::{browser::call, outcome::Outcome, protocol::Encoded};

/// Where a form that is sent by GET leads: without the fields that are empty.
pub fn address(form: &HtmlFormElement) -> String {
    let action = form.get_attribute("action").unwrap_or_default();
    let fields = Encoded::of(form, None);
    let filled: Vec<_> = fields
        .as_ref()
        .map(Encoded::as_str)
        .unwrap_or_default()
        .split('&')
        .collect();
    let filled: Vec<_> = filled
        .into_iter()
        .filter(|field| !field.is_empty() && !field.ends_with('='))
        .collect();
    if filled.is_empty() {
        action
    } else {
        format!("{action}?{}", filled.join("&"))
    }
}

/// At once, so that what is chosen next is not combined with what was there before.
pub fn clear_filters() {
    let fields = document()
        .query_selector_all("form[data-soft=live] :is(input, select)")
        .ok();
    let fields = fields.map(|fields| (0..fields.length()).filter_map(move |at| fields.get(at)));
    for field in fields.into_iter().flatten() {
        match field.dyn_into::<HtmlInputElement>() {
            Ok(input) => input.set_value(""),
            Err(field) => {
                if let Ok(select) = field.dyn_into::<HtmlSelectElement>() {
                    select.set_selected_index(0);
                }
            }
        }
    }
}

/// Calls the function, and shows what it returns. A second submission waits for the first.
pub async fn submit(
    navigation: Rc<Navigation>,
    form: HtmlFormElement,
    submitter: Option<HtmlElement>,
    function: String,
) {
    if form.has_attribute(BUSY) {
        return;
    }
    let fields = Encoded::of(&form, submitter.as_ref());
    // What the address of a page says already is no field of its form.
    let fields = fields.map(|fields| match form.get_attribute("data-fields") {
        Some(more) => fields.and(&more),
        None => fields,
    });
    let calling = fields.and_then(|fields| call(&function, fields));
    let Some(calling) = calling else {
        // A function that this script does not know: the page's own handler does the same.
        let _ = form.submit();
        return;
    };
    let button = submitter
        .filter(|button| !button.has_attribute("aria-hidden"))
        .or_else(|| last_button(&form));
    set_busy(&form, button.as_ref(), true);
    let returned = calling.await;
    set_busy(&form, button.as_ref(), false);
    match returned {
        Ok(outcome) => succeed(&navigation, &form, outcome).await,
        Err(refusal) => notices::refuse(&form, &refusal),
    }
}

const BUSY: &str = "aria-busy";

/// The style sheet shows it at the button, if it takes long.
fn set_busy(form: &HtmlFormElement, button: Option<&HtmlElement>, busy: bool) {
    for element in [Some(form.as_ref()), button].into_iter().flatten() {
        let _: &HtmlElement = element;
        let _ = if busy {
            element.set_attribute(BUSY, "true")
        } else {
            element.remove_attribute(BUSY)
        };
    }
}

/// What Enter stands for: the button that saves is the last one.
fn last_button(form: &HtmlFormElement) -> Option<HtmlElement> {
    let elements = form.elements();
    let mut buttons = (0..elements.length())
        .rev()
        .filter_map(|at| elements.get_with_index(at));
    buttons
        .find(|element| element.tag_name() == "BUTTON")?
        .dyn_into()
        .ok()
}

async fn succeed(navigation: &Navigation, form: &HtmlFormElement, outcome: Outcome) {
    let Outcome {
        to,
        message,
        part,
        version,
    } = outcome;
    notices::clear(form);
    notices::set_version(form, version);
    if form.method() == "get" {
        navigation.show_as(&address(form), Entry::Replace);
    }
    if let Some(to) = to {
        // What was typed has been taken, unless the form stays open with it.
        if message.is_none() && dialog::open().is_none() {
            form.reset();
        }
        let stays = dialog::open().is_some() || navigation.is_here(&to);
        let entry = if stays { Entry::Replace } else { Entry::Push };
        if !navigation.go(&to, entry).await {
            dialog::close();
            announce("This was done, but the page could not be refreshed. Load it again.");
        }
    }
    if let Some(html) = part
        && let Some(place) = document().get_element_by_id("part")
    {
        morph::replace_contents(&place, &html);
        focus_wanted(&place);
    }
    if let Some(message) = message {
        notices::say(form, &message);
    }
}

/// What was asked for asks for the focus.
fn focus_wanted(place: &Element) {
    let wanted = place.query_selector("[autofocus]").ok().flatten();
    if let Some(wanted) = wanted.and_then(|wanted| wanted.dyn_into::<HtmlElement>().ok()) {
        let _ = wanted.focus();
    }
}
