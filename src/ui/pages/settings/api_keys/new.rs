//! `/settings/api-keys/new`: the dialog “Add API key”, whose answer shows the key.

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{show_made, show_under};
use crate::{
    auth::api_key::{EVENTS_WRITE, SCOPES},
    domain::api_key::Expiry,
    ui::{
        PageError,
        actions::{
            api_keys::{AddApiKey, ApiKeyForm, add_api_key},
            protocol,
            serve::{Reply, Submitted},
        },
        components::{
            dialog::{CANCEL, Dialog},
            field::{FieldError, TextField},
            form::ActionForm,
        },
        paths,
        request::{form::Form, visit::Visit},
        words,
    },
};

const FORM: &str = "api-key";

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    let form = ApiKeyForm {
        scopes: vec![EVENTS_WRITE.to_owned()],
        expiry: Expiry::default().value(),
        ..ApiKeyForm::default()
    };
    page(&visit, form, Reply::default()).await
}

/// The answer is the page with the key on it: a redirect would have to carry it.
pub async fn add(visit: Visit, Form(form): Form<ApiKeyForm>) -> Result<Response, PageError> {
    match visit
        .submit(add_api_key(protocol::Form::of(form.clone())))
        .await?
    {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(Reply { part: Some(made), .. }) => show_made(&visit, made).await,
        Submitted::Again(reply) => page(&visit, form, reply).await,
    }
}

async fn page(visit: &Visit, form: ApiKeyForm, reply: Reply) -> Result<Response, PageError> {
    let (status, headers) = (reply.status, reply.headers());
    let dialog = || view! { <AddDialog form reply/> }.into_any();
    let page = show_under(visit, "Add API key", status, dialog).await?;
    Ok((headers, page).into_response())
}

#[component]
fn AddDialog(form: ApiKeyForm, reply: Reply) -> impl IntoView {
    let ApiKeyForm {
        name,
        scopes,
        expiry,
        date,
    } = form;
    let (name_error, scopes_error) = (reply.error("name"), reply.error("scopes"));
    // At the date, if that is what expires it.
    let expiry_error = reply.error("expiry").or_else(|| reply.error("date"));
    // The first field that was refused has the focus.
    let scopes_first = name_error.is_none() && scopes_error.is_some();
    let expiry_first = name_error.is_none() && scopes_error.is_none() && expiry_error.is_some();
    let name_first = !scopes_first && !expiry_first;
    view! {
        <Dialog title="Add API key" list=paths::API_KEYS>
            <ActionForm
                class="dialog__body"
                id=FORM
                page=paths::API_KEY_NEW
                function=AddApiKey::PATH
                reply=(&reply).into()
            >
                <TextField
                    id="name"
                    label="Name"
                    value=name
                    hint="What the key is for. Shown in the audit log."
                    error=name_error
                    focus=name_first
                />
                <ScopesField chosen=scopes error=scopes_error focus=scopes_first/>
                <ExpiryField expiry date error=expiry_error focus=expiry_first/>
            </ActionForm>
            <div class="dialog__buttons">
                <button class="button" type="submit" form=CANCEL>"Cancel"</button>
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
                <span class="choice__about" id=about>{words::allowed_by(scope)}</span>
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

/// The style sheet shows the day when it is asked for.
#[component]
fn ExpiryField(expiry: String, date: String, error: Option<String>, focus: bool) -> impl IntoView {
    let invalid = error.is_some().then_some("true");
    let by_date = expiry == Expiry::Date.value();
    let choices = Expiry::OFFERED.map(|offered| {
        let value = offered.value();
        let selected = value == expiry;
        view! { <option value=value selected=selected>{words::expiry(offered)}</option> }
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
