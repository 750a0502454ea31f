//! `/settings/account`: one's own email, password and sessions.

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
            serve::{Reply, Submitted},
        },
        components::{field::TextField, form::ActionForm},
        layout::{document::Page, shell::Section},
        paths,
        request::{form::Form, visit::Visit},
    },
};

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    page(&visit, Reply::default()).await
}

pub async fn change(visit: Visit, Form(form): Form<AccountForm>) -> Result<Response, PageError> {
    let argument = protocol::Form::of(form.clone());
    let submitted = match &*form.button {
        "end-session" => visit.submit(end_session(argument)).await?,
        "end-others" => visit.submit(end_other_sessions(argument)).await?,
        _ => visit.submit(change_password(argument)).await?,
    };
    match submitted {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => page(&visit, reply).await,
    }
}

/// Passwords that were refused are typed again.
async fn page(visit: &Visit, reply: Reply) -> Result<Response, PageError> {
    let sessions = visit.ui.auth.sessions(&visit.user, &visit.session).await?;
    let page = Page::new("Account", Section::Account)
        .with_islands()
        .with_status(reply.status);
    let (user, now, headers) = (visit.user.clone(), visit.now, reply.headers());
    let page = visit.page(page, || {
        view! { <AccountScreen user reply sessions now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn AccountScreen(
    user: User,
    reply: Reply,
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
            <ActionForm class="section__form" page=paths::ACCOUNT function=ChangePassword::PATH reply=(&reply).into()>
                // For password managers: whose password it is.
                <input type="hidden" name="username" value=user.email autocomplete="username"/>
                <TextField
                    id="old"
                    label="Current password"
                    kind="password"
                    value=""
                    autocomplete="current-password"
                    focus=reply.error("old").is_some()
                    error=reply.error("old")
                />
                <TextField
                    id="new"
                    label="New password"
                    kind="password"
                    value=""
                    autocomplete="new-password"
                    hint=format!("At least {} characters. Your other sessions end.", password::MIN_LENGTH)
                    focus=reply.error("new").is_some()
                    error=reply.error("new")
                />
                <p><button class="button button--primary" type="submit">"Change password"</button></p>
            </ActionForm>
        </section>
        <Sessions sessions now/>
    }
}
