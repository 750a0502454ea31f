//! The response to a successful sign-in.

use axum::{
    http::header,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::{Cookie, SameSite};
use url::form_urlencoded;

use crate::{
    auth::{BROWSER_COOKIE, NewSession, cookie_name},
    domain::PublicUrl,
    ui::{Ui, paths, request::local_path::LocalPath},
};

/// Lifetime of the cookie of a browser that has signed in.
const BROWSER_COOKIE_DAYS: i64 = 180;

/// Query parameter of the sign-in page that marks the redirect after a successful sign-in.
pub(super) const SIGNED_IN: &str = "signed_in";

/// Redirects to the page that the user wanted to see, and remembers the browser.
///
/// If cookies require https, the redirect goes through the sign-in page: a browser that opened the page over http has
/// dropped the session cookie, and the sign-in page explains it.
pub(super) fn redirect(ui: &Ui, new: &NewSession, next: Option<&LocalPath>) -> Response {
    let https = ui.public_url.as_ref().is_some_and(PublicUrl::is_https);
    let to = if https {
        login_path(next, true)
    } else {
        next.map_or(paths::LIST, LocalPath::as_str).to_owned()
    };
    let cookie = Cookie::build((cookie_name(BROWSER_COOKIE, https), new.browser_token.clone()))
        .path("/")
        .max_age(time::Duration::days(BROWSER_COOKIE_DAYS))
        .same_site(SameSite::Lax)
        .secure(https)
        .http_only(true);
    let cookie = AppendHeaders([(header::SET_COOKIE, cookie.build().to_string())]);
    (cookie, Redirect::to(&to)).into_response()
}

/// Returns the path of the sign-in page that continues to `next`.
pub(super) fn login_path(next: Option<&LocalPath>, signed_in: bool) -> String {
    let next = next.map(|next| ("next", next.as_str()));
    let marker = signed_in.then_some((SIGNED_IN, "1"));
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(next.into_iter().chain(marker))
        .finish();
    if query.is_empty() {
        paths::LOGIN.to_owned()
    } else {
        format!("{}?{query}", paths::LOGIN)
    }
}
