//! Messages in forms: errors at the fields, and notices about the whole form above them.
//!
//! The components of fields and forms render the elements for the messages. Without JavaScript, the server fills them.

use leptos::{
    prelude::*,
    web_sys::{Element, HtmlElement, HtmlFormElement, HtmlInputElement, NodeList},
};
use wasm_bindgen::JsCast;

use super::morph;
use crate::ui::actions::refusal::Refusal;

/// Shows a refusal, and moves the focus to the first error.
///
/// Keeps a conflict with saved values, and the choices the user made in it, in case the next attempt fails for another
/// reason.
pub fn show_refusal(form: &HtmlFormElement, refusal: &Refusal) {
    clear_fields(form);
    clear_messages();
    set_version(form, refusal.version);
    let mut first = None;
    for error in &refusal.fields {
        if let Some(element) = error_element(&error.name) {
            element.set_text_content(Some(&error.message));
        }
        for control in controls(form, &error.name) {
            let _ = control.set_attribute("aria-invalid", "true");
            first = first.or(Some(control));
        }
    }
    if let Some(html) = &refusal.part {
        let notice = morph::parse(html).and_then(|page| page.body()?.first_element_child());
        first = first.or(notice.and_then(|notice| insert_notice(form, notice)));
    } else if !refusal.message.is_empty() {
        let notice = message_element("notice notice--bad", "alert", &refusal.message);
        first = first.or(notice.and_then(|notice| insert_notice(form, notice)));
    }
    if let Some(first) = first.and_then(|first| first.dyn_into::<HtmlElement>().ok()) {
        if let Ok(Some(details)) = first.closest("details") {
            let _ = details.set_attribute("open", "");
        }
        let _ = first.focus();
    }
}

/// Shows the message of a successful action in a form that stays open.
pub fn show_message(form: &HtmlFormElement, text: &str) {
    if let Some(notice) = message_element("notice", "status", text) {
        insert_notice(form, notice);
    }
}

/// Removes all messages of a form.
pub fn clear(form: &HtmlFormElement) {
    clear_fields(form);
    clear_messages();
    if let Some(area) = notice_area(form) {
        area.set_text_content(None);
    }
}

fn clear_fields(form: &HtmlFormElement) {
    let elements = form.elements();
    for control in (0..elements.length()).filter_map(|at| elements.get_with_index(at)) {
        if control.has_attribute("aria-invalid") {
            let _ = control.remove_attribute("aria-invalid");
            // Checkboxes share their name, and the first of several rows has the id of the field.
            for attribute in ["name", "id"] {
                let name = control.get_attribute(attribute);
                if let Some(element) = name.and_then(|name| error_element(&name)) {
                    element.set_text_content(None);
                }
            }
        }
    }
}

/// Removes the messages of all forms, including outdated messages of other forms.
fn clear_messages() {
    if let Ok(messages) = document().query_selector_all("[data-notice] > p") {
        for message in (0..messages.length()).filter_map(|at| messages.get(at)?.dyn_into::<Element>().ok()) {
            message.remove();
        }
    }
}

/// Sets the version that the next attempt is based on.
pub fn set_version(form: &HtmlFormElement, version: Option<i64>) {
    if let Some(version) = version {
        set_hidden(form, "version", &version.to_string());
    }
}

/// Sets the value of the hidden fields with this name.
pub fn set_hidden(form: &HtmlFormElement, name: &str, value: &str) {
    for control in controls(form, name) {
        if let Ok(input) = control.dyn_into::<HtmlInputElement>() {
            input.set_value(value);
        }
    }
}

/// Returns the controls with this name. Checkboxes can share a name.
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

/// Returns the element for the error of a field.
fn error_element(name: &str) -> Option<Element> {
    document().get_element_by_id(&format!("{name}-error"))
}

/// Returns the element for the notices of a form.
fn notice_area(form: &HtmlFormElement) -> Option<Element> {
    form.query_selector("[data-notice]").ok().flatten()
}

fn message_element(class: &str, role: &str, text: &str) -> Option<Element> {
    let message = document().create_element("p").ok()?;
    message.set_class_name(class);
    let _ = message.set_attribute("role", role);
    let _ = message.set_attribute("tabindex", "-1");
    message.set_text_content(Some(text));
    Some(message)
}

/// Inserts a notice above the fields. Replaces a previous notice with the same tag name.
fn insert_notice(form: &HtmlFormElement, notice: Element) -> Option<Element> {
    let area = notice_area(form)?;
    let children = area.children();
    let mut notices = (0..children.length()).filter_map(|at| children.item(at));
    if let Some(previous) = notices.find(|previous| previous.tag_name() == notice.tag_name()) {
        previous.remove();
    }
    area.prepend_with_node_1(&notice).ok()?;
    Some(notice)
}
