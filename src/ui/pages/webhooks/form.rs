//! The fields of a webhook, shared by the dialogs “Add Webhook” and “Edit Webhook”.

mod events;
mod secret_field;

use std::sync::Arc;

use leptos::prelude::*;
use strum::VariantArray;

use self::{events::EventsField, secret_field::SecretField};
use crate::{
    domain::Field,
    ui::{
        PageError,
        actions::{
            protocol,
            serve::{FormFeedback, Submission},
            webhook_options::{FUNCTIONS, preview_filter},
            webhooks::{RowChange, WebhookForm},
        },
        components::{advanced::Advanced, field::TextField},
        islands::{name_check::NameCheck, url_advice::UrlAdvice},
        layout::fragment::Fragment,
        request::context::RequestContext,
        state::DeliveryPolicy,
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

/// What a form shows besides its values.
#[derive(Default)]
pub struct FormState {
    pub feedback: FormFeedback,
    /// The change of rows that was made.
    pub change: Option<RowChange>,
    /// The preview of the filter.
    pub preview: Option<Fragment>,
    /// Names of the saved headers.
    pub saved_headers: Vec<String>,
}

/// The pressed button of a form that was posted without JavaScript.
pub enum Pressed {
    /// It changes rows or shows a preview, and the page shows the form again.
    Rows(WebhookForm, FormState),
    Other(WebhookForm),
}

impl FormState {
    /// Applies the button to the form if it only changes what the form shows.
    pub async fn of_button(ctx: &RequestContext, mut form: WebhookForm) -> Result<Pressed, PageError> {
        if let Some(change) = form.row_change() {
            form.change_rows(change);
            let state = Self {
                change: Some(change),
                ..Self::default()
            };
            return Ok(Pressed::Rows(form, state));
        }
        if form.button != "preview" {
            return Ok(Pressed::Other(form));
        }
        let previewing = preview_filter(protocol::Form::new(form.clone()));
        Ok(match ctx.submit(previewing).await? {
            Submission::Rerender(feedback) => {
                let state = Self {
                    preview: feedback.part,
                    ..Self::default()
                };
                Pressed::Rows(form, state)
            }
            Submission::Redirect(_) => Pressed::Other(form),
        })
    }
}

#[component]
pub fn Fields(
    form: WebhookForm,
    state: FormState,
    policy: Arc<DeliveryPolicy>,
    mode: FormMode,
    /// Leaves the focus to another element of the form.
    #[prop(optional)]
    keep_focus: bool,
    /// Content below the secret.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let FormState {
        feedback,
        change,
        preview,
        saved_headers,
    } = state;
    let error = |field: Field| feedback.error(field.as_str());
    let mut fields = Field::VARIANTS.iter().copied();
    let first = fields.find(|&field| error(field).is_some()).unwrap_or(Field::Url);
    // An error of the whole form takes the focus itself.
    let form_error = feedback.refused && feedback.fields.is_empty();
    let keep_focus = keep_focus || change.is_some() || preview.is_some();
    let focus = |field| !keep_focus && !form_error && first == field;
    let readonly = mode == FormMode::ReadOnly;
    let events = form.draft().events;
    let advanced = view! {
        <Advanced
            form=&form
            saved_headers
            feedback=&feedback
            policy=&policy
            change
            preview
            functions=FUNCTIONS
            readonly
        />
    };
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
        {advanced}
    }
}

/// A hidden first submit button. Enter activates the first submit button of a form, so that it saves the form instead
/// of, for example, revealing the secret.
#[component]
pub fn DefaultSubmit() -> impl IntoView {
    view! { <button class="unseen" type="submit" tabindex="-1" aria-hidden="true"></button> }
}
