//! The four fields of a webhook, as both dialogs show them.

mod events;
mod secret_field;

use leptos::prelude::*;
use strum::VariantArray;

use self::{events::EventsField, secret_field::SecretField};
use crate::{
    domain::Field,
    ui::{
        actions::{serve::Reply, webhooks::WebhookForm},
        components::field::TextField,
        islands::{name_check::NameCheck, url_advice::UrlAdvice},
    },
};

/// The id of the form, for the buttons that stand outside of it.
pub const FORM: &str = "webhook";

/// Which dialog the fields stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Add,
    Edit,
    /// For those who may not edit.
    Look,
}

#[component]
pub fn Fields(
    form: WebhookForm,
    reply: Reply,
    purpose: Purpose,
    /// Something else in the form has it.
    #[prop(optional)]
    keep_focus: bool,
    /// What stands below the secret.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let error = |field: Field| reply.error(field.as_str());
    let mut fields = Field::VARIANTS.iter().copied();
    let first = fields.find(|&field| error(field).is_some()).unwrap_or(Field::Url);
    // What concerns the whole form takes the focus itself.
    let whole = reply.refused && reply.fields.is_empty();
    let focus = |field| !keep_focus && !whole && first == field;
    let readonly = purpose == Purpose::Look;
    let events = form.draft().events;
    let secret = (!readonly).then(|| {
        view! {
            <SecretField
                value=form.secret.as_str()
                error=error(Field::Secret)
                purpose
                focus=focus(Field::Secret)
            />
        }
    });
    view! {
        <TextField
            id="url"
            label="URL"
            kind="url"
            value=form.url
            error=error(Field::Url)
            focus=focus(Field::Url)
            readonly
        >
            {(!readonly).then(|| view! { <UrlAdvice/> })}
        </TextField>
        <TextField
            id="name"
            label="Webhook name"
            value=form.name
            error=error(Field::Name)
            focus=focus(Field::Name)
            readonly
        >
            {(!readonly).then(|| view! { <NameCheck/> })}
        </TextField>
        {secret}
        {children.map(|children| children())}
        <EventsField chosen=events error=error(Field::Events) focus=focus(Field::Events) readonly/>
    }
}

/// The first submit button of a form is what Enter presses. This one is, whatever buttons follow; nobody sees it.
#[component]
pub fn EnterPresses() -> impl IntoView {
    view! { <button class="unseen" type="submit" tabindex="-1" aria-hidden="true"></button> }
}
