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
        components::{logo::Logo, time_ago},
        layout::document::render_bare,
        paths,
        request::{form::Form, local_path::LocalPath, preferences::Preferences},
    },
};

/// The sign-in form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Credentials {
    email: String,
    password: Zeroizing<String>,
}

/// A request of the sign-in page, with the page to continue to.
pub struct LoginRequest {
    preferences: Preferences,
    next: Option<LocalPath>,
}

impl FromRequestParts<Ui> for LoginRequest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Ui) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let next = form_urlencoded::parse(query).find(|(name, _)| name == "next");
        let next = next.and_then(|(_, path)| LocalPath::parse(&path));
        Ok(Self {
            preferences: Preferences::from_headers(&parts.headers),
            next,
        })
    }
}

impl LoginRequest {
    fn redirect(&self) -> Redirect {
        Redirect::to(self.next.as_ref().map_or(paths::LIST, LocalPath::as_str))
    }

    fn render(self, ui: &Ui, status: StatusCode, email: String, error: Option<String>) -> Response {
        let preferences = self.preferences;
        render_bare(&ui.site, &preferences, "Sign in", status, || {
            view! { <LoginScreen next=self.next email error/> }.into_any()
        })
    }
}

pub async fn show(State(ui): State<Ui>, request: LoginRequest, mut parts: Parts) -> Response {
    // Signed-in users can get here with the back button of the browser.
    if SignedIn::from_request_parts(&mut parts, &ui).await.is_ok() {
        return request.redirect().into_response();
    }
    request.render(&ui, StatusCode::OK, String::new(), None)
}

pub async fn sign_in(
    State(ui): State<Ui>,
    request: LoginRequest,
    session: Session,
    client: Client,
    Form(form): Form<Credentials>,
) -> Response {
    let email = form.email.trim();
    match ui.auth.sign_in(&session, email, &form.password, &client).await {
        Ok(_) => request.redirect().into_response(),
        Err(wrong @ SignInError::WrongCredentials) => request.render(
            &ui,
            StatusCode::UNPROCESSABLE_ENTITY,
            email.to_owned(),
            Some(wrong.to_string()),
        ),
        Err(SignInError::TooManyFailures { retry_after }) => {
            let error = format!(
                "Too many attempts. Try again in {}.",
                time_ago::short_duration(retry_after)
            );
            // Rounded up, so that a retry after this time is not too early.
            let seconds = retry_after.as_millis().div_ceil(1000).max(1).to_string();
            let page = request.render(&ui, StatusCode::TOO_MANY_REQUESTS, email.to_owned(), Some(error));
            ([(header::RETRY_AFTER, seconds)], page).into_response()
        }
        Err(SignInError::Unavailable(error)) => {
            tracing::error!(%error, "failed to check a sign-in");
            let error = "Sign-in is temporarily unavailable. Try again in a few minutes.".to_owned();
            request.render(
                &ui,
                StatusCode::SERVICE_UNAVAILABLE,
                email.to_owned(),
                Some(error),
            )
        }
    }
}

pub async fn sign_out(State(ui): State<Ui>, client: Client, session: Session) -> Result<Redirect, PageError> {
    ui.auth.sign_out(&session, &client).await?;
    Ok(Redirect::to(paths::LOGIN))
}

/// Posts to its own URL, so that `next` is kept.
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
    // After a failure, the password is more likely to be wrong than the email.
    let focus_password = failed && !email.is_empty();
    view! {
        <main class="door">
            <p class="door__brand"><Logo/>"Caleida"</p>
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
                        autofocus=!focus_password
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
                        autofocus=focus_password
                        aria-describedby=described
                    />
                </div>
                <button class="button button--primary button--wide" type="submit">"Sign in"</button>
            </form>
        </main>
    }
}
