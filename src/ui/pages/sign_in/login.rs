//! `/login` and `/logout`.

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;
use tower_sessions::Session;
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::{
    auth::{Client, SignInError, SignedIn},
    ui::{
        PageError, Ui,
        components::{mark::Mark, time_ago},
        layout::document::bare,
        paths,
        request::{form::Form, local_path::LocalPath, preferences::Preferences},
    },
};

/// Who signs in.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Credentials {
    email: String,
    password: Zeroizing<String>,
}

/// Somebody at the door, and where they want to go.
pub struct Guest {
    preferences: Preferences,
    next: Option<LocalPath>,
}

impl FromRequestParts<Ui> for Guest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Ui) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let next = form_urlencoded::parse(query).find(|(name, _)| name == "next");
        let next = next.and_then(|(_, path)| LocalPath::parse(&path));
        Ok(Self {
            preferences: Preferences::of(&parts.headers),
            next,
        })
    }
}

impl Guest {
    fn redirect(&self) -> Redirect {
        Redirect::to(self.next.as_ref().map_or(paths::LIST, LocalPath::as_str))
    }

    fn answer(self, ui: &Ui, status: StatusCode, email: String, error: Option<String>) -> Response {
        let preferences = self.preferences;
        bare(&ui.site, &preferences, "Sign in", status, || {
            view! { <LoginScreen next=self.next email error/> }.into_any()
        })
    }
}

pub async fn show(State(ui): State<Ui>, guest: Guest, mut parts: Parts) -> Response {
    // Who is signed in has no business here: perhaps they came back by the browser's own button.
    if SignedIn::from_request_parts(&mut parts, &ui).await.is_ok() {
        return guest.redirect().into_response();
    }
    guest.answer(&ui, StatusCode::OK, String::new(), None)
}

pub async fn sign_in(
    State(ui): State<Ui>,
    guest: Guest,
    session: Session,
    client: Client,
    Form(form): Form<Credentials>,
) -> Response {
    let email = form.email.trim();
    match ui.auth.sign_in(&session, email, &form.password, &client).await {
        Ok(_) => guest.redirect().into_response(),
        Err(wrong @ SignInError::Wrong) => guest.answer(
            &ui,
            StatusCode::UNPROCESSABLE_ENTITY,
            email.to_owned(),
            Some(wrong.to_string()),
        ),
        Err(SignInError::TooMany { retry_after }) => {
            let error = format!("Too many attempts. Try again in {}.", time_ago::span(retry_after));
            // Rounded up: who comes back after them is let in.
            let seconds = retry_after.as_millis().div_ceil(1000).max(1).to_string();
            let page = guest.answer(&ui, StatusCode::TOO_MANY_REQUESTS, email.to_owned(), Some(error));
            ([(header::RETRY_AFTER, seconds)], page).into_response()
        }
        Err(SignInError::Unavailable(error)) => {
            tracing::error!(%error, "failed to check a sign-in");
            let error = "Signing in is not possible at the moment. Try again soon.".to_owned();
            guest.answer(
                &ui,
                StatusCode::SERVICE_UNAVAILABLE,
                email.to_owned(),
                Some(error),
            )
        }
    }
}

pub async fn sign_out(State(ui): State<Ui>, session: Session) -> Result<Redirect, PageError> {
    ui.auth.sign_out(&session).await?;
    Ok(Redirect::to(paths::LOGIN))
}

/// Posts to its own address, so that `next` stays in it.
#[component]
fn LoginScreen(next: Option<LocalPath>, email: String, error: Option<String>) -> impl IntoView {
    let action = next.map_or_else(
        || paths::LOGIN.to_owned(),
        |next| {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("next", next.as_str())
                .finish();
            format!("{}?{query}", paths::LOGIN)
        },
    );
    let failed = error.is_some();
    let error =
        error.map(|error| view! { <p class="notice notice--bad" role="alert" id="refused">{error}</p> });
    let described = failed.then_some("refused");
    // The email is right more often than the password.
    let again = failed && !email.is_empty();
    view! {
        <main class="door">
            <p class="door__brand"><Mark/>"Caleida"</p>
            <h1>"Sign in"</h1>
            {error}
            <form method="post" action=action>
                <div class="field">
                    <label for="email">"Email"</label>
                    <input
                        id="email"
                        name="email"
                        type="email"
                        value=email
                        autocomplete="username"
                        required
                        autofocus=!again
                        aria-describedby=described
                    />
                </div>
                <div class="field">
                    <label for="password">"Password"</label>
                    <input
                        id="password"
                        name="password"
                        type="password"
                        autocomplete="current-password"
                        required
                        autofocus=again
                        aria-describedby=described
                    />
                </div>
                <button class="button button--primary button--wide" type="submit">"Sign in"</button>
            </form>
        </main>
    }
}
