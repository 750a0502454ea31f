//! The small cookies of the dashboard's own looks. (The session's is the session layer's.)

use axum::http::{HeaderMap, header};

/// The value of the first cookie of that name.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value)
}

/// For a year, and not for scripts; an empty value takes it back.
pub fn keep(name: &str, value: &str) -> String {
    let age = if value.is_empty() { 0 } else { 31_536_000 };
    format!("{name}={value}; Path=/; Max-Age={age}; SameSite=Lax; HttpOnly")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        assert_eq!(cookie(&headers, "theme"), None);
        headers.append(header::COOKIE, "id=abc; theme=dark".parse().unwrap());
        headers.append(header::COOKIE, "zone=Europe/Berlin".parse().unwrap());
        assert_eq!(cookie(&headers, "theme"), Some("dark"));
        assert_eq!(cookie(&headers, "zone"), Some("Europe/Berlin"));
        assert_eq!(cookie(&headers, "them"), None);
    }
}
