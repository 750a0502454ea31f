//! `POST /theme`: the form in the shell, for those without JavaScript.

use axum::response::{IntoResponse, Redirect, Response};

use crate::ui::{
    PageError,
    actions::{
        self,
        preferences::{PreferencesForm, set_theme},
        serve::Submitted,
    },
    paths,
    request::{form::Form, visit::Visit},
};

pub async fn choose(visit: Visit, Form(form): Form<PreferencesForm>) -> Result<Response, PageError> {
    Ok(
        match visit.submit(set_theme(actions::protocol::Form::of(form))).await? {
            Submitted::Done(response) => response,
            Submitted::Again(_) => Redirect::to(paths::LIST).into_response(),
        },
    )
}
