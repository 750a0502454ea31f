//! Preferences of the browser: theme and time zone. Stored in cookies, so that the server renders each page with them.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::{theme::Theme, zone::Zone};

const COOKIE_MAX_AGE_DAYS: i64 = 365;

#[derive(Debug, Clone)]
pub struct Preferences {
    pub theme: Theme,
    pub zone: Zone,
}

impl Preferences {
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let jar = CookieJar::from_headers(headers);
        Self {
            theme: Theme::from_cookies(&jar),
            zone: Zone::from_cookies(&jar),
        }
    }
}

/// Returns the `HttpOnly` cookie that stores a preference. An empty value deletes it.
pub fn preference_cookie(name: &'static str, value: &str) -> Cookie<'static> {
    let days = if value.is_empty() { 0 } else { COOKIE_MAX_AGE_DAYS };
    Cookie::build((name, value.to_owned()))
        .path("/")
        .max_age(time::Duration::days(days))
        .same_site(SameSite::Lax)
        .http_only(true)
        .build()
}
