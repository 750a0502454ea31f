//! `/settings/account`: email, password and sessions of the signed-in user.

mod browser;
mod sessions;

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use self::sessions::Sessions;
use crate::{
    auth::password,
    domain::{Timestamp, User},
    store::UserSession,
    ui::{
        PageError,
        actions::{
            account::{AccountForm, ChangePassword, change_password, end_other_sessions, end_session},
            protocol,
            serve::{FormFeedback, Submission},
        },
        components::{field::TextField, form::ActionForm},
        layout::{document::Page, shell::Section},
        paths,
        request::{context::RequestContext, form::Form},
    },
};

pub async fn show(ctx: RequestContext) -> Result<Response, PageError> {
    page(&ctx, FormFeedback::default()).await
}

pub async fn change(ctx: RequestContext, Form(form): Form<AccountForm>) -> Result<Response, PageError> {
    let argument = protocol::Form::new(form.clone());
    let submitted = match &*form.button {
        "end-session" => ctx.submit(end_session(argument)).await?,
        "end-others" => ctx.submit(end_other_sessions(argument)).await?,
        _ => ctx.submit(change_password(argument)).await?,
    };
    match submitted {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => page(&ctx, feedback).await,
    }
}

/// Renders the page. Rejected passwords are not filled in again.
async fn page(ctx: &RequestContext, feedback: FormFeedback) -> Result<Response, PageError> {
    let sessions = ctx.ui.auth.sessions(&ctx.user, &ctx.session).await?;
    let page = Page::new("Account", Section::Account)
        .with_islands()
        .with_status(feedback.status);
    let (user, now, headers) = (ctx.user.clone(), ctx.now, feedback.headers());
    let page = ctx.render_page(page, || {
        view! { <AccountScreen user feedback sessions now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn AccountScreen(
    user: User,
    feedback: FormFeedback,
    sessions: Vec<(UserSession, bool)>,
    now: Timestamp,
) -> impl IntoView {
    view! {
        <div class="heading">
            <div>
                <h1>"Account"</h1>
                <p class="heading__text">
                    "You are signed in as "<strong>{user.email.clone()}</strong>{format!(", {}.", user.role)}
                </p>
            </div>
        </div>
        <section class="card section" aria-labelledby="password">
            <h2 id="password">"Password"</h2>
            <ActionForm class="section__form" page=paths::ACCOUNT function=ChangePassword::PATH notice=(&feedback).into()>
                // Tells password managers which user the password belongs to.
                <input type="hidden" name="username" value=user.email autocomplete="username"/>
                <TextField
                    id="old"
                    label="Current password"
                    kind="password"
                    value=""
                    autocomplete="current-password"
                    focus=feedback.error("old").is_some()
                    error=feedback.error("old")
                />
                <TextField
                    id="new"
                    label="New password"
                    kind="password"
                    value=""
                    autocomplete="new-password"
                    hint=format!("At least {} characters. Changing it ends your other sessions.", password::MIN_LENGTH)
                    focus=feedback.error("new").is_some()
                    error=feedback.error("new")
                />
                <p><button class="button button--primary" type="submit">"Change password"</button></p>
            </ActionForm>
        </section>
        <Sessions sessions now/>
    }
}
