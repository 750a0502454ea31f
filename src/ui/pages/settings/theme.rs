//! `POST /theme`: the theme form of the shell, used without JavaScript.

use axum::response::{IntoResponse, Redirect, Response};

use crate::ui::{
    PageError,
    actions::{
        self,
        preferences::{PreferencesForm, set_theme},
        serve::Submission,
    },
    paths,
    request::{context::RequestContext, form::Form},
};

pub async fn choose(ctx: RequestContext, Form(form): Form<PreferencesForm>) -> Result<Response, PageError> {
    Ok(
        match ctx.submit(set_theme(actions::protocol::Form::new(form))).await? {
            Submission::Redirect(response) => response,
            Submission::Rerender(_) => Redirect::to(paths::LIST).into_response(),
        },
    )
}
