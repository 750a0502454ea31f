//! What is said at a form: errors at its fields, and above them what concerns all of it.
//!
//! The components of fields and forms have places for it, into which the server writes for those without JavaScript.

use leptos::{
    prelude::*,
    web_sys::{Element, HtmlElement, HtmlFormElement, HtmlInputElement, NodeList},
};
use wasm_bindgen::JsCast;

use super::morph;
use crate::ui::actions::refusal::Refusal;

/// Shows why nothing was done, and moves the focus to the first thing to look at.
///
/// What somebody else has saved stays until it is overwritten, with what was chosen there: a later attempt may fail for
/// another reason.
pub fn refuse(form: &HtmlFormElement, refusal: &Refusal) {
    clear_fields(form);
    clear_messages();
    set_version(form, refusal.version);
    let mut first = None;
    for error in &refusal.fields {
        if let Some(place) = error_of(&error.name) {
            place.set_text_content(Some(&error.message));
        }
        for control in controls(form, &error.name) {
            let _ = control.set_attribute("aria-invalid", "true");
            first = first.or(Some(control));
        }
    }
    if let Some(html) = &refusal.part {
        let said = morph::parse(html).and_then(|page| page.body()?.first_element_child());
        first = first.or(said.and_then(|said| put(form, said)));
    } else if !refusal.message.is_empty() {
        let said = message("notice notice--bad", "alert", &refusal.message);
        first = first.or(said.and_then(|said| put(form, said)));
    }
    if let Some(first) = first.and_then(|first| first.dyn_into::<HtmlElement>().ok()) {
        let _ = first.focus();
    }
}

/// Says that something else was done than what the form is for.
pub fn say(form: &HtmlFormElement, text: &str) {
    if let Some(said) = message("notice", "status", text) {
        put(form, said);
    }
}

/// Takes back what was said about a form.
pub fn clear(form: &HtmlFormElement) {
    clear_fields(form);
    clear_messages();
    if let Some(place) = notice(form) {
        place.set_text_content(None);
    }
}

fn clear_fields(form: &HtmlFormElement) {
    let elements = form.elements();
    for control in (0..elements.length()).filter_map(|at| elements.get_with_index(at)) {
        if control.has_attribute("aria-invalid") {
            let _ = control.remove_attribute("aria-invalid");
            let name = control.get_attribute("name");
            if let Some(place) = name.and_then(|name| error_of(&name)) {
                place.set_text_content(None);
            }
        }
    }
}

/// Also those of other forms: they are no longer the newest.
fn clear_messages() {
    if let Ok(messages) = document().query_selector_all("[data-notice] > p") {
        for message in (0..messages.length()).filter_map(|at| messages.get(at)?.dyn_into::<Element>().ok()) {
            message.remove();
        }
    }
}

/// The version that the next attempt is based on.
pub fn set_version(form: &HtmlFormElement, version: Option<i64>) {
    if let Some(version) = version {
        for control in controls(form, "version") {
            if let Ok(input) = control.dyn_into::<HtmlInputElement>() {
                input.set_value(&version.to_string());
            }
        }
    }
}

/// The controls of a form with this name: several, if they are boxes.
fn controls(form: &HtmlFormElement, name: &str) -> Vec<Element> {
    let Some(found) = form.elements().named_item(name) else {
        return Vec::new();
    };
    match found.dyn_into::<NodeList>() {
        Ok(list) => (0..list.length())
            .filter_map(|at| list.get(at)?.dyn_into().ok())
            .collect(),
        Err(control) => control.dyn_into().into_iter().collect(),
    }
}

/// Where the component of a field says what is wrong with it.
fn error_of(name: &str) -> Option<Element> {
    document().get_element_by_id(&format!("{name}-error"))
}

/// Where the component of a form says what concerns all of it.
fn notice(form: &HtmlFormElement) -> Option<Element> {
    form.query_selector("[data-notice]").ok().flatten()
}

fn message(class: &str, role: &str, text: &str) -> Option<Element> {
    let message = document().create_element("p").ok()?;
    message.set_class_name(class);
    let _ = message.set_attribute("role", role);
    let _ = message.set_attribute("tabindex", "-1");
    message.set_text_content(Some(text));
    Some(message)
}

/// Puts it above the fields, in the place of what was said there in the same kind of element.
fn put(form: &HtmlFormElement, said: Element) -> Option<Element> {
    let place = notice(form)?;
    let before = place.children();
    let same = (0..before.length()).filter_map(|at| before.item(at));
    if let Some(same) = same.into_iter().find(|one| one.tag_name() == said.tag_name()) {
        same.remove();
    }
    place.prepend_with_node_1(&said).ok()?;
    Some(said)
}
