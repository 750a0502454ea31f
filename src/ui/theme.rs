//! Light, dark, or as the system has it.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{form::Posted, local_path::LocalPath, paths};

const COOKIE: &str = "theme";

/// What a person chose; kept in a cookie, so that the very first byte of a page has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    pub fn of(headers: &HeaderMap) -> Self {
        let cookies = headers
            .get_all(header::COOKIE)
            .into_iter()
            .filter_map(|value| value.to_str().ok());
        cookies
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .find(|(name, _)| *name == COOKIE)
            .and_then(|(_, value)| Self::parse(value))
            .unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text)
    }
}

/// `POST /theme`: keeps the choice for a year and returns to where it was made.
pub async fn choose(form: Posted) -> Response {
    let theme = Theme::parse(form.text("theme")).unwrap_or_default();
    let back = LocalPath::parse(form.text("return"));
    let back = back.as_ref().map_or(paths::LIST, LocalPath::as_str);
    let cookie = format!(
        "{COOKIE}={}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly",
        theme.as_str()
    );
    (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, back), (header::SET_COOKIE, cookie.as_str())],
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_is_found_among_other_cookies() {
        let mut headers = HeaderMap::new();
        assert_eq!(Theme::of(&headers), Theme::System);
        headers.append(header::COOKIE, "id=abc; theme=dark".parse().unwrap());
        assert_eq!(Theme::of(&headers), Theme::Dark);
        headers.insert(header::COOKIE, "theme=purple".parse().unwrap());
        assert_eq!(Theme::of(&headers), Theme::System);
    }
}
