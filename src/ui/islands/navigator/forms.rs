//! Submits forms: calls server functions and shows their outcome.

use std::rc::Rc;

use leptos::{
    prelude::*,
    web_sys::{Element, HtmlElement, HtmlFormElement, HtmlInputElement, HtmlSelectElement},
};
use wasm_bindgen::JsCast;

use super::{
    dialog, morph, notices,
    page::{HistoryEntry, Navigation, announce},
};
use crate::ui::actions::{SUBMISSION, browser::call, outcome::Outcome, protocol::EncodedForm};

/// Returns the URL of a GET form, without empty fields.
pub fn url(form: &HtmlFormElement) -> String {
    let action = form.get_attribute("action").unwrap_or_default();
    let fields = EncodedForm::from_form(form, None);
    let filled: Vec<_> = fields
        .as_ref()
        .map(EncodedForm::as_str)
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

/// Clears the filter fields at once, so that the next choice is not combined with the previous filters.
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

/// Calls the server function and shows the result. Ignores a second submission while the first is in progress.
pub async fn submit(
    navigation: Rc<Navigation>,
    form: HtmlFormElement,
    submitter: Option<HtmlElement>,
    function: String,
) {
    if form.has_attribute(BUSY) {
        // Rows are replaced in a moment. A button that is pressed meanwhile applies to the new ones.
        if form.has_attribute(REPLACING) {
            let value = submitter.and_then(|button| button.get_attribute("value"));
            let _ = form.set_attribute(NEXT, &value.unwrap_or_default());
        }
        return;
    }
    let fields = EncodedForm::from_form(&form, submitter.as_ref());
    // Values that are in the URL of the page are not fields of its form.
    let fields = fields.map(|fields| match form.get_attribute("data-fields") {
        Some(extra) => fields.with_fields(&extra),
        None => fields,
    });
    let response = fields.and_then(|fields| call(&function, &fields));
    let Some(response) = response else {
        // This script does not know the function. The handler of the page does the same.
        let _ = form.submit();
        return;
    };
    let part = submitter
        .as_ref()
        .and_then(|button| button.get_attribute("data-part"));
    let button = submitter
        .filter(|button| !button.has_attribute("aria-hidden"))
        .or_else(|| last_button(&form));
    set_busy(&form, button.as_ref(), true);
    if part.is_some() {
        let _ = form.set_attribute(REPLACING, "");
    }
    let result = response.await;
    set_busy(&form, button.as_ref(), false);
    let next = form.get_attribute(NEXT);
    for mark in [REPLACING, NEXT] {
        let _ = form.remove_attribute(mark);
    }
    match result {
        Ok(Outcome { part: Some(html), .. }) if part.is_some() => {
            show_part(part.as_deref(), &html);
            if let Some(value) = next {
                press(&form, &value);
            }
        }
        Ok(outcome) => succeed(&navigation, &form, outcome).await,
        Err(refusal) => notices::show_refusal(&form, &refusal),
    }
}

/// Marks a form of which a part is being replaced.
const REPLACING: &str = "data-replacing";

/// The value of the button that was pressed meanwhile. Empty for the one that saves the form.
const NEXT: &str = "data-next";

/// Presses the button with this value, or the one that saves the form.
fn press(form: &HtmlFormElement, value: &str) {
    let button = document().query_selector(&format!("button[value='{value}']"));
    let button = button.ok().flatten();
    match button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        Some(button) => button.click(),
        None => drop(form.request_submit()),
    }
}

/// Replaces the contents of the element with this id.
fn show_part(id: Option<&str>, html: &str) {
    if let Some(element) = id.and_then(|id| document().get_element_by_id(id)) {
        replace(&element, html);
        apply_autofocus(&element);
    }
}

/// Replaces the contents of an element. Rows that have moved must not keep what was typed in others.
fn replace(element: &Element, html: &str) {
    element.set_text_content(None);
    morph::replace_contents(element, html);
}

/// Refreshes the element `data-preview` of a form, which has the path of a server function. Drops the result if the
/// user has typed in the meantime.
pub async fn preview(form: HtmlFormElement, is_current: impl Fn() -> bool) {
    let element = form.query_selector("[data-preview]").ok().flatten();
    let function = element
        .as_ref()
        .and_then(|element| element.get_attribute("data-preview"));
    let response = function
        .zip(EncodedForm::from_form(&form, None))
        .and_then(|(function, fields)| call(&function, &fields));
    if let Some(response) = response
        && let Ok(Outcome { part: Some(html), .. }) = response.await
        && is_current()
        && let Some(element) = element
    {
        replace(&element, &html);
    }
}

const BUSY: &str = "aria-busy";

/// Marks the form and the button as busy. The style sheet shows a spinner if it takes long.
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

/// Returns the last button, which saves the form when the user presses Enter.
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
        submission,
    } = outcome;
    notices::clear(form);
    notices::set_version(form, version);
    if let Some(token) = submission {
        notices::set_hidden(form, SUBMISSION, &token);
    }
    if form.method() == "get" {
        navigation.set_url(&url(form), HistoryEntry::Replace);
    }
    if let Some(to) = to {
        // Resets a form on a page, unless it stays open with unsaved input.
        if message.is_none() && dialog::open().is_none() {
            form.reset();
        }
        let stays = dialog::open().is_some() || navigation.is_current(&to);
        let entry = if stays {
            HistoryEntry::Replace
        } else {
            HistoryEntry::Push
        };
        if !navigation.load(&to, entry).await {
            dialog::close();
            announce("The change was saved, but the page could not be refreshed. Reload it.");
        }
    }
    if let Some(html) = part
        && let Some(element) = document().get_element_by_id("part")
    {
        morph::replace_contents(&element, &html);
        apply_autofocus(&element);
    }
    if let Some(message) = message {
        notices::show_message(form, &message);
    }
}

/// Focuses the first element with `autofocus`.
fn apply_autofocus(root: &Element) {
    let target = root.query_selector("[autofocus]").ok().flatten();
    if let Some(target) = target.and_then(|target| target.dyn_into::<HtmlElement>().ok()) {
        let _ = target.focus();
    }
}
