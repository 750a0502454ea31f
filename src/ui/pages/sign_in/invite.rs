//! `/invite/{token}`: accepting an invite.

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;
use zeroize::Zeroizing;

use super::welcome;
use crate::{
    auth::{Client, invites::InviteError, password, password::NewPassword},
    store::OpenInvite,
    ui::{
        Ui,
        components::{field::TextField, logo::Logo, time_ago::short_duration},
        labels::with_article,
        layout::document::render_bare,
        paths,
        request::{form::Form, preferences::Preferences},
    },
};

/// The form with the password of the new user.
#[derive(Deserialize)]
pub struct AcceptForm {
    #[serde(default)]
    password: Zeroizing<String>,
}

/// A request with an invite link, without a session.
pub struct InviteRequest {
    ui: Ui,
    preferences: Preferences,
    token: String,
    client: Client,
}

impl FromRequestParts<Ui> for InviteRequest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let paths::Invite { token } = paths::Invite::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        let Ok(client) = Client::from_request_parts(parts, ui).await;
        Ok(Self {
            ui: ui.clone(),
            preferences: Preferences::from_headers(&parts.headers),
            token,
            client,
        })
    }
}

pub async fn show(request: InviteRequest) -> Response {
    match request.ui.auth.open_invite(&request.token, &request.client).await {
        Ok(invite) => request.render_form(StatusCode::OK, invite, None),
        Err(error) => request.render_error(&error),
    }
}

pub async fn accept(
    State(ui): State<Ui>,
    request: InviteRequest,
    session: Session,
    Form(form): Form<AcceptForm>,
) -> Response {
    let password = match NewPassword::parse(&form.password) {
        Ok(password) => password,
        Err(invalid) => {
            return match ui.auth.open_invite(&request.token, &request.client).await {
                Ok(invite) => request.render_form(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    invite,
                    Some(invalid.to_string()),
                ),
                Err(error) => request.render_error(&error),
            };
        }
    };
    let accepted = ui
        .auth
        .accept_invite(&session, &request.token, &password, &request.client)
        .await;
    match accepted {
        Ok(new) => welcome::redirect(&ui, &new, None),
        Err(error) => request.render_error(&error),
    }
}

impl InviteRequest {
    fn render_form(self, status: StatusCode, invite: OpenInvite, error: Option<String>) -> Response {
        let action = paths::invite(&self.token);
        render_bare(&self.ui.site, &self.preferences, "Join", status, || {
            view! { <JoinScreen action invite error/> }.into_any()
        })
    }

    /// Renders the same page for every invalid link, so that it does not reveal whether the invite exists.
    fn render_error(self, error: &InviteError) -> Response {
        let page = |status, title: &'static str, text: String| {
            render_bare(&self.ui.site, &self.preferences, title, status, || {
                view! { <ErrorScreen title text/> }.into_any()
            })
        };
        match error {
            InviteError::NotOpen => page(
                StatusCode::NOT_FOUND,
                "This link cannot be used",
                "The link is incomplete, or it was used before, has expired or was revoked. Ask an admin of your account \
                 for a new one. If you have already joined, sign in."
                    .to_owned(),
            ),
            InviteError::TooManyFailures { retry_after } => {
                let text = format!(
                    "Too many invalid links were opened from your network. Try again in {}.",
                    short_duration(*retry_after)
                );
                let seconds = retry_after.as_secs().max(1).to_string();
                let page = page(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", text);
                ([(header::RETRY_AFTER, seconds)], page).into_response()
            }
            InviteError::Unavailable(error) => {
                tracing::error!(%error, "failed to accept an invite");
                let text = "The invite could not be accepted. Your link is still valid. Try again in a few minutes.";
                page(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable", text.to_owned())
            }
        }
    }
}

/// The email is read-only. It is a field so that password managers store it with the password.
#[component]
fn JoinScreen(action: String, invite: OpenInvite, error: Option<String>) -> impl IntoView {
    let OpenInvite { email, account, role } = invite;
    view! {
        <main class="door">
            <p class="door__brand"><Logo/>"Caleida"</p>
            <h1>"Join"</h1>
            <p class="door__text">
                "You are invited to join the account “"<span class="address">{account}</span>{format!("” as {}.", with_article(role))}
            </p>
            <form method="post" action=action novalidate>
                <TextField
                    id="email"
                    label="Email"
                    kind="email"
                    value=email
                    autocomplete="username"
                    error=None
                    readonly=true
                />
                <TextField
                    id="password"
                    label="Password"
                    kind="password"
                    value=""
                    autocomplete="new-password"
                    hint=format!("At least {} characters.", password::MIN_LENGTH)
                    error
                    focus=true
                />
                <button class="button button--primary button--wide" type="submit">"Join"</button>
            </form>
        </main>
    }
}

#[component]
fn ErrorScreen(title: &'static str, text: String) -> impl IntoView {
    view! {
        <main class="door">
            <p class="door__brand"><Logo/>"Caleida"</p>
            <h1>{title}</h1>
            <p class="door__text">{text}</p>
            <p><a class="button" href=paths::LOGIN>"Sign in"</a></p>
        </main>
    }
}
