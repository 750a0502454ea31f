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

use super::welcome;
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
    /// Whether this is the redirect after a successful sign-in.
    signed_in: bool,
}

impl FromRequestParts<Ui> for LoginRequest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Ui) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let parameter = |wanted| form_urlencoded::parse(query).find(|(name, _)| name == wanted);
        let next = parameter("next").and_then(|(_, path)| LocalPath::parse(&path));
        Ok(Self {
            preferences: Preferences::from_headers(&parts.headers),
            next,
            signed_in: parameter(welcome::SIGNED_IN).is_some(),
        })
    }
}

impl LoginRequest {
    fn redirect(&self) -> Redirect {
        Redirect::to(self.next.as_ref().map_or(paths::LIST, LocalPath::as_str))
    }

    fn render(self, ui: &Ui, status: StatusCode, email: String, error: Option<String>) -> Response {
        let preferences = self.preferences;
        let refused_cookie = self.signed_in && error.is_none();
        let open_instead = ui
            .public_url
            .as_ref()
            .filter(|_| refused_cookie)
            .map(|url| url.join(&welcome::login_path(self.next.as_ref(), false)));
        render_bare(&ui.site, &preferences, "Sign in", status, || {
            view! { <LoginScreen next=self.next email error open_instead/> }.into_any()
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
        Ok(new) => welcome::redirect(&ui, &new, request.next.as_ref()),
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

/// Posts to the URL of the page without the marker, so that `next` is kept. `open_instead` is the URL to open if the
/// browser did not keep the session cookie.
#[component]
fn LoginScreen(
    next: Option<LocalPath>,
    email: String,
    error: Option<String>,
    open_instead: Option<String>,
) -> impl IntoView {
    let action = welcome::login_path(next.as_ref(), false);
    let refused_cookie = open_instead.map(|url| {
        view! {
            <p class="notice notice--bad" role="alert">
                "Email and password are correct, but your browser did not keep the session cookie. It accepts this cookie \
                 only over https. Open " <a href=url.clone()>{url.clone()}</a> " instead. If you are there already, allow \
                 cookies for this site."
            </p>
        }
    });
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
            {refused_cookie}
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
