//! Light, dark, or as the system has it.

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    cookie::{cookie, keep},
    form::Posted,
    local_path::LocalPath,
    paths,
};

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
        cookie(headers, COOKIE).and_then(Self::parse).unwrap_or_default()
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
    let cookie = keep(COOKIE, theme.as_str());
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
    fn a_theme_that_is_none_is_the_systems() {
        let mut headers = HeaderMap::new();
        assert_eq!(Theme::of(&headers), Theme::System);
        headers.insert(header::COOKIE, "theme=dark".parse().unwrap());
        assert_eq!(Theme::of(&headers), Theme::Dark);
        headers.insert(header::COOKIE, "theme=purple".parse().unwrap());
        assert_eq!(Theme::of(&headers), Theme::System);
    }
}
