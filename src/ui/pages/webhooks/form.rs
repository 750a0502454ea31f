//! The fields of a webhook, shared by the dialogs “Add Webhook” and “Edit Webhook”.

mod events;
mod secret_field;

use leptos::prelude::*;
use strum::VariantArray;

use self::{events::EventsField, secret_field::SecretField};
use crate::{
    domain::Field,
    ui::{
        actions::{serve::FormFeedback, webhooks::WebhookForm},
        components::field::TextField,
        islands::{name_check::NameCheck, url_advice::UrlAdvice},
    },
};

/// The id of the form, for buttons outside of it.
pub const FORM: &str = "webhook";

/// Purpose of the form fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormMode {
    Add,
    Edit,
    /// Read-only view for users who cannot edit.
    ReadOnly,
}

#[component]
pub fn Fields(
    form: WebhookForm,
    feedback: FormFeedback,
    mode: FormMode,
    /// Leaves the focus to another element of the form.
    #[prop(optional)]
    keep_focus: bool,
    /// Content below the secret.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let error = |field: Field| feedback.error(field.as_str());
    let mut fields = Field::VARIANTS.iter().copied();
    let first = fields.find(|&field| error(field).is_some()).unwrap_or(Field::Url);
    // An error of the whole form takes the focus itself.
    let form_error = feedback.refused && feedback.fields.is_empty();
    let focus = |field| !keep_focus && !form_error && first == field;
    let readonly = mode == FormMode::ReadOnly;
    let events = form.draft().events;
    let secret = (!readonly).then(|| {
        view! {
            <SecretField
                value=form.secret.as_str()
                error=error(Field::Secret)
                mode
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

/// A hidden first submit button. Enter activates the first submit button of a form, so that it saves the form instead
/// of, for example, revealing the secret.
#[component]
pub fn DefaultSubmit() -> impl IntoView {
    view! { <button class="unseen" type="submit" tabindex="-1" aria-hidden="true"></button> }
}
