//! Light, dark, or as the system has it.

use axum_extra::extract::cookie::CookieJar;
use strum::{EnumString, IntoStaticStr, VariantArray};

/// The cookie with the choice.
pub const COOKIE: &str = "theme";

/// What a person chose; kept in a cookie, so that the very first byte of a page has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    pub fn of(cookies: &CookieJar) -> Self {
        let kept = cookies.get(COOKIE).map_or("", |cookie| cookie.value());
        kept.parse().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use axum_extra::extract::cookie::Cookie;

    use super::*;

    #[test]
    fn an_unknown_theme_is_the_systems() {
        let of = |value: &'static str| Theme::of(&CookieJar::new().add(Cookie::new(COOKIE, value)));
        assert_eq!(Theme::of(&CookieJar::new()), Theme::System);
        assert_eq!(of("dark"), Theme::Dark);
        assert_eq!(of("light"), Theme::Light);
        assert_eq!(of("purple"), Theme::System);
    }
}
