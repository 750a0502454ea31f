//! How somebody wants to see every page. Kept in cookies, so that the very first byte of a page is right.

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::{theme::Theme, zone::Zone};

/// How long a choice is kept.
const KEPT_DAYS: i64 = 365;

#[derive(Debug, Clone)]
pub struct Preferences {
    pub theme: Theme,
    pub zone: Zone,
}

impl Preferences {
    pub fn of(headers: &HeaderMap) -> Self {
        let jar = CookieJar::from_headers(headers);
        Self {
            theme: Theme::of(&jar),
            zone: Zone::of(&jar),
        }
    }
}

/// The cookie that keeps a choice. Scripts cannot read it; an empty value takes the choice back.
pub fn kept(name: &'static str, value: &str) -> Cookie<'static> {
    let days = if value.is_empty() { 0 } else { KEPT_DAYS };
    Cookie::build((name, value.to_owned()))
        .path("/")
        .max_age(time::Duration::days(days))
        .same_site(SameSite::Lax)
        .http_only(true)
        .build()
}
