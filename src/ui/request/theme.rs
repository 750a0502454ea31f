//! The theme: light, dark, or the system setting.

use axum_extra::extract::cookie::CookieJar;
use strum::{EnumString, IntoStaticStr, VariantArray};

pub const THEME_COOKIE: &str = "theme";

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

    pub fn from_cookies(cookies: &CookieJar) -> Self {
        let value = cookies.get(THEME_COOKIE).map_or("", |cookie| cookie.value());
        value.parse().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use axum_extra::extract::cookie::Cookie;

    use super::*;

    #[test]
    fn unknown_theme_defaults_to_system() {
        let parse = |value: &'static str| {
            Theme::from_cookies(&CookieJar::new().add(Cookie::new(THEME_COOKIE, value)))
        };
        assert_eq!(Theme::from_cookies(&CookieJar::new()), Theme::System);
        assert_eq!(parse("dark"), Theme::Dark);
        assert_eq!(parse("light"), Theme::Light);
        assert_eq!(parse("purple"), Theme::System);
    }
}
