//! The four fields of a webhook, as both dialogs show them.

mod events;
mod secret_field;

use axum::http::StatusCode;
use leptos::prelude::*;

use self::{events::EventsField, secret_field::SecretField};
use crate::{
    domain::{Field, FieldErrors},
    ui::{
        PageError,
        components::field::TextField,
        islands::{name_check::NameCheck, url_advice::UrlAdvice},
    },
    webhooks::{Draft, WebhookError},
};

/// The id of the form, for the buttons that stand outside of it.
pub const FORM: &str = "webhook";

/// What was typed, and what was wrong with it.
#[derive(Debug, Default)]
pub struct FormState {
    pub draft: Draft,
    pub errors: FieldErrors,
    /// What went wrong with the form as a whole.
    pub notice: Option<String>,
}

impl FormState {
    pub fn new(draft: Draft) -> Self {
        Self {
            draft,
            ..Self::default()
        }
    }

    /// The form again, when it can be helped by typing or by trying again; else the page that says why not.
    pub fn refused(draft: Draft, error: WebhookError) -> Result<(StatusCode, Self), PageError> {
        let mut form = Self::new(draft);
        match error {
            WebhookError::Invalid(errors) => form.errors = errors,
            WebhookError::NameTaken(name) => form.errors = FieldErrors::one(Field::Name, name.taken()),
            full @ WebhookError::TooMany { .. } => form.notice = Some(full.to_string()),
            WebhookError::Store(error) => {
                tracing::error!(%error, "a webhook could not be saved");
                let again =
                    "This could not be saved just now. Everything is still here: try again in a moment.";
                form.notice = Some(again.into());
                return Ok((StatusCode::SERVICE_UNAVAILABLE, form));
            }
            error => return Err(error.into()),
        }
        Ok((StatusCode::UNPROCESSABLE_ENTITY, form))
    }

    fn error(&self, field: Field) -> Option<String> {
        self.errors.get(field).map(ToOwned::to_owned)
    }
}

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
    form: FormState,
    purpose: Purpose,
    /// Something else in the form has it.
    #[prop(optional)]
    keep_focus: bool,
    /// What stands below the secret.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let first = form.errors.first().unwrap_or(Field::Url);
    let focus = |field| !keep_focus && first == field;
    let readonly = purpose == Purpose::Look;
    let notice = form
        .notice
        .clone()
        .map(|text| view! { <p class="notice notice--bad" role="alert">{text}</p> });
    let (url_error, name_error) = (form.error(Field::Url), form.error(Field::Name));
    let secret_error = form.error(Field::Secret);
    let events_error = form.error(Field::Events);
    let secret = (!readonly).then(|| {
        view! {
            <SecretField
                value=form.draft.secret.as_str()
                error=secret_error
                purpose
                focus=focus(Field::Secret)
            />
        }
    });
    view! {
        {notice}
        <TextField
            id="url"
            label="URL"
            kind="url"
            value=form.draft.url
            error=url_error
            focus=focus(Field::Url)
            readonly
        >
            {(!readonly).then(|| view! { <UrlAdvice/> })}
        </TextField>
        <TextField
            id="name"
            label="Webhook name"
            value=form.draft.name
            error=name_error
            focus=focus(Field::Name)
            readonly
        >
            {(!readonly).then(|| view! { <NameCheck/> })}
        </TextField>
        {secret}
        {children.map(|children| children())}
        <EventsField chosen=form.draft.events error=events_error focus=focus(Field::Events) readonly/>
    }
}

/// The first submit button of a form is what Enter presses. This one is, whatever buttons follow; nobody sees it.
#[component]
pub fn EnterPresses() -> impl IntoView {
    view! { <button class="unseen" type="submit" tabindex="-1" aria-hidden="true"></button> }
}
