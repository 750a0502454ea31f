//! `/settings/api-keys/new`: the dialog “Add API key”, whose answer shows the key.

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;

use super::api_keys::{show_made, show_under};
use crate::{
    api_keys::{CreateError, Draft, Refused},
    auth::api_key::{EVENTS_WRITE, SCOPES, allows},
    domain::api_key::Expiry,
    ui::{
        PageError,
        components::{
            dialog::{CANCEL, Dialog},
            field::{FieldError, TextField},
        },
        form::Posted,
        paths,
        visit::Visit,
    },
};

const FORM: &str = "api-key";

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    let draft = Draft {
        scopes: vec![EVENTS_WRITE.to_owned()],
        expiry: Expiry::default().value(),
        ..Draft::default()
    };
    answer(&visit, StatusCode::OK, Form::new(draft)).await
}

/// The answer is the page with the key on it: a redirect would have to carry it.
pub async fn add(visit: Visit, posted: Posted) -> Result<Response, PageError> {
    let draft = Draft {
        name: posted.text("name").to_owned(),
        scopes: posted.all("scopes").map(str::to_owned).collect(),
        expiry: posted.text("expiry").to_owned(),
        date: posted.text("date").to_owned(),
    };
    match visit.ui.api_keys.create(&visit.actor(), &draft).await {
        Ok((key, text)) => show_made(&visit, key, text).await,
        Err(CreateError::Invalid(refused)) => {
            let form = Form {
                refused,
                ..Form::new(draft)
            };
            answer(&visit, StatusCode::UNPROCESSABLE_ENTITY, form).await
        }
        Err(CreateError::Store(error)) => Err(error.into()),
    }
}

/// What was typed, and what was wrong with it.
struct Form {
    draft: Draft,
    refused: Refused,
}

impl Form {
    fn new(draft: Draft) -> Self {
        Self {
            draft,
            refused: Refused::default(),
        }
    }
}

async fn answer(visit: &Visit, status: StatusCode, form: Form) -> Result<Response, PageError> {
    show_under(visit, "Add API key", status, || {
        view! { <AddDialog form/> }.into_any()
    })
    .await
}

#[component]
fn AddDialog(form: Form) -> impl IntoView {
    let Form { draft, refused } = form;
    // The first field that was refused has the focus.
    let scopes_first = refused.name.is_none() && refused.scopes.is_some();
    let expiry_first = refused.name.is_none() && refused.scopes.is_none() && refused.expiry.is_some();
    let name_first = !scopes_first && !expiry_first;
    view! {
        <Dialog title="Add API key" list=paths::API_KEYS>
            <form class="dialog__body" id=FORM method="post" action=paths::API_KEY_NEW novalidate>
                <TextField
                    id="name"
                    label="Name"
                    value=draft.name
                    hint="What the key is for. The audit log calls it so."
                    error=refused.name
                    focus=name_first
                />
                <ScopesField chosen=draft.scopes error=refused.scopes focus=scopes_first/>
                <ExpiryField expiry=draft.expiry date=draft.date error=refused.expiry focus=expiry_first/>
            </form>
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
        let described = if invalid {
            format!("{about} scopes-error")
        } else {
            about.clone()
        };
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
                <span class="choice__about" id=about>{allows(scope)}</span>
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
        view! { <option value=value selected=selected>{offered.label()}</option> }
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
                        aria-describedby="expiry-error"
                    />
                </div>
            </div>
            <FieldError id="expiry" error/>
        </div>
    }
}
