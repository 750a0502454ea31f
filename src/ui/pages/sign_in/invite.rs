//! `/invite/{token}`: where an invited person becomes a user.

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;
use zeroize::Zeroizing;

use crate::{
    auth::{Client, invites::InviteError, password, password::NewPassword},
    store::OpenInvite,
    ui::{
        Ui,
        components::{field::TextField, mark::Mark, time_ago::span},
        layout::document::bare,
        paths,
        request::{form::Form, preferences::Preferences},
        words::with_article,
    },
};

/// The password of a new user.
#[derive(Deserialize)]
pub struct Chosen {
    #[serde(default)]
    password: Zeroizing<String>,
}

/// Somebody with a link.
pub struct Guest {
    ui: Ui,
    preferences: Preferences,
    token: String,
    client: Client,
}

impl FromRequestParts<Ui> for Guest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let paths::Invite { token } = paths::Invite::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        let Ok(client) = Client::from_request_parts(parts, ui).await;
        Ok(Self {
            ui: ui.clone(),
            preferences: Preferences::of(&parts.headers),
            token,
            client,
        })
    }
}

pub async fn show(guest: Guest) -> Response {
    match guest.ui.auth.open_invite(&guest.token, &guest.client).await {
        Ok(invite) => guest.form(StatusCode::OK, invite, None),
        Err(error) => guest.refusal(&error),
    }
}

pub async fn accept(
    State(ui): State<Ui>,
    guest: Guest,
    session: Session,
    Form(chosen): Form<Chosen>,
) -> Response {
    let password = match NewPassword::parse(&chosen.password) {
        Ok(password) => password,
        Err(wrong) => {
            return match ui.auth.open_invite(&guest.token, &guest.client).await {
                Ok(invite) => guest.form(StatusCode::UNPROCESSABLE_ENTITY, invite, Some(wrong.to_string())),
                Err(error) => guest.refusal(&error),
            };
        }
    };
    let accepted = ui
        .auth
        .accept_invite(&session, &guest.token, &password, &guest.client)
        .await;
    match accepted {
        Ok(_) => Redirect::to(paths::LIST).into_response(),
        Err(error) => guest.refusal(&error),
    }
}

impl Guest {
    fn form(self, status: StatusCode, invite: OpenInvite, error: Option<String>) -> Response {
        let action = paths::invite(&self.token);
        bare(&self.ui.site, &self.preferences, "Join", status, || {
            view! { <JoinScreen action invite error/> }.into_any()
        })
    }

    /// The same page for every link that is not open: nothing tells which of them it is.
    fn refusal(self, error: &InviteError) -> Response {
        let page = |status, title: &'static str, text: String| {
            bare(&self.ui.site, &self.preferences, title, status, || {
                view! { <Refusal title text/> }.into_any()
            })
        };
        match error {
            InviteError::NotOpen => page(
                StatusCode::NOT_FOUND,
                "This link cannot be used",
                "It was used already, has expired or was revoked, or a part of it is missing. Ask an admin of your \
                 account for a new one. If you have joined already, sign in."
                    .to_owned(),
            ),
            InviteError::TooMany { retry_after } => {
                let text = format!(
                    "Too many links that lead nowhere came from where you are. Try again in {}.",
                    span(*retry_after)
                );
                let seconds = retry_after.as_secs().max(1).to_string();
                let page = page(StatusCode::TOO_MANY_REQUESTS, "Too many attempts", text);
                ([(header::RETRY_AFTER, seconds)], page).into_response()
            }
            InviteError::Unavailable(error) => {
                tracing::error!(%error, "failed to accept an invite");
                let text = "Joining is not possible at the moment. Your link remains valid: try again soon.";
                page(StatusCode::SERVICE_UNAVAILABLE, "Temporarily unavailable", text.to_owned())
            }
        }
    }
}

/// The email is there for people and for their password managers; it cannot be changed.
#[component]
fn JoinScreen(action: String, invite: OpenInvite, error: Option<String>) -> impl IntoView {
    let OpenInvite { email, account, role } = invite;
    view! {
        <main class="door">
            <p class="door__brand"><Mark/>"Caleida"</p>
            <h1>"Join"</h1>
            <p class="door__text">
                "You are invited to the account “"<span class="address">{account}</span>{format!("” as {}.", with_article(role))}
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
                    hint=format!("At least {} characters. You choose it now.", password::MIN_LENGTH)
                    error
                    focus=true
                />
                <button class="button button--primary button--wide" type="submit">"Join"</button>
            </form>
        </main>
    }
}

#[component]
fn Refusal(title: &'static str, text: String) -> impl IntoView {
    view! {
        <main class="door">
            <p class="door__brand"><Mark/>"Caleida"</p>
            <h1>{title}</h1>
            <p class="door__text">{text}</p>
            <p><a class="button" href=paths::LOGIN>"Sign in"</a></p>
        </main>
    }
}
