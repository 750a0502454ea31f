//! `/settings/api-keys/new`: the dialog “Add API key”.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{show_created, show_over_list};
use crate::{
    auth::api_key::{EVENTS_WRITE, SCOPES},
    domain::api_key::Expiry,
    ui::{
        PageError,
        actions::{
            api_keys::{AddApiKey, ApiKeyForm, add_api_key},
            protocol,
            serve::{FormFeedback, Submission},
        },
        components::{
            dialog::{CANCEL_FORM, Dialog},
            field::{FieldError, TextField},
            form::{ActionForm, SubmissionToken},
        },
        labels, paths,
        request::{context::RequestContext, form::Form},
    },
};

const FORM: &str = "api-key";

pub async fn show(ctx: RequestContext) -> Result<Response, PageError> {
    let form = ApiKeyForm {
        scopes: vec![EVENTS_WRITE.to_owned()],
        expiry: Expiry::default().value(),
        ..ApiKeyForm::default()
    };
    page(&ctx, form, FormFeedback::default()).await
}

/// Responds with the page that shows the key instead of a redirect, which would have to carry the key.
pub async fn add(ctx: RequestContext, Form(form): Form<ApiKeyForm>) -> Result<Response, PageError> {
    match ctx.submit(add_api_key(protocol::Form::new(form.clone()))).await? {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(FormFeedback {
            part: Some(created), ..
        }) => show_created(&ctx, created).await,
        Submission::Rerender(feedback) => page(&ctx, form, feedback).await,
    }
}

async fn page(ctx: &RequestContext, form: ApiKeyForm, feedback: FormFeedback) -> Result<Response, PageError> {
    let (status, headers) = (feedback.status, feedback.headers());
    let dialog = || view! { <AddDialog form feedback/> }.into_any();
    let page = show_over_list(ctx, "Add API key", status, dialog).await?;
    Ok((headers, page).into_response())
}

#[component]
fn AddDialog(form: ApiKeyForm, feedback: FormFeedback) -> impl IntoView {
    let ApiKeyForm {
        name,
        scopes,
        expiry,
        date,
        submission: _,
    } = form;
    let (name_error, scopes_error) = (feedback.error("name"), feedback.error("scopes"));
    let expiry_error = feedback.error("expiry").or_else(|| feedback.error("date"));
    // The first invalid field takes the focus.
    let focus_scopes = name_error.is_none() && scopes_error.is_some();
    let focus_expiry = name_error.is_none() && scopes_error.is_none() && expiry_error.is_some();
    let focus_name = !focus_scopes && !focus_expiry;
    view! {
        <Dialog title="Add API key" list=paths::API_KEYS>
            <ActionForm
                class="dialog__body"
                id=FORM
                page=paths::API_KEY_NEW
                function=AddApiKey::PATH
                notice=(&feedback).into()
            >
                <SubmissionToken/>
                <TextField
                    id="name"
                    label="Name"
                    value=name
                    hint="What the key is for. Shown in the audit log."
                    error=name_error
                    focus=focus_name
                />
                <ScopesField chosen=scopes error=scopes_error focus=focus_scopes/>
                <ExpiryField expiry date error=expiry_error focus=focus_expiry/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL_FORM>"Cancel"</button>
                <button class="button button--primary" type="submit" form=FORM>"Add"</button>
            </div>
        </Dialog>
    }
}

#[component]
fn ScopesField(chosen: Vec<String>, error: Option<String>, focus: bool) -> impl IntoView {
    let invalid = error.is_some();
    let choices = SCOPES.map(|scope| {
        let (id, about) = (format!("scope-{scope}"), format!("about-{scope}"));
        let described = format!("{about} scopes-error");
        view! {
            <div class="choice">
                <input
                    id=id.clone()
                    type="checkbox"
                    name="scopes"
                    value=scope
                    checked=chosen.iter().any(|chosen| chosen == scope)
                    autofocus=focus && scope == SCOPES[0]
                    aria-invalid=invalid.then_some("true")
                    aria-describedby=described
                />
                <label for=id><code>{scope}</code></label>
                <span class="choice__about" id=about>{labels::scope_description(scope)}</span>
            </div>
        }
    });
    view! {
        <fieldset class="field choices" aria-describedby="scopes-error">
            <legend>"Scopes"</legend>
            <FieldError id="scopes" error/>
            <div class="choices__list">{choices.collect_view()}</div>
        </fieldset>
    }
}

/// The style sheet shows the date only if the expiry is a date.
#[component]
fn ExpiryField(expiry: String, date: String, error: Option<String>, focus: bool) -> impl IntoView {
    let invalid = error.is_some().then_some("true");
    let by_date = expiry == Expiry::Date.value();
    let choices = Expiry::OPTIONS.map(|option| {
        let value = option.value();
        let selected = value == expiry;
        view! { <option value=value selected=selected>{labels::expiry_label(option)}</option> }
    });
    view! {
        <div class="field expiry">
            <div class="expiry__fields">
                <div class="field">
                    <label for="expiry">"Expires"</label>
                    <select
                        id="expiry"
                        name="expiry"
                        autofocus=focus && !by_date
                        aria-invalid=invalid.filter(|_| !by_date)
                        aria-describedby="expiry-error"
                    >
                        {choices.collect_view()}
                    </select>
                </div>
                <div class="field expiry__date">
                    <label for="date">"Last day (UTC)"</label>
                    <input
                        id="date"
                        name="date"
                        type="date"
                        value=date
                        autofocus=focus && by_date
                        aria-invalid=invalid.filter(|_| by_date)
                        aria-describedby="date-error"
                    />
                </div>
            </div>
            <FieldError id="expiry" error=error.clone().filter(|_| !by_date)/>
            <FieldError id="date" error=error.filter(|_| by_date)/>
        </div>
    }
}
