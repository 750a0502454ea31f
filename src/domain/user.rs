//! Users and their roles.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use super::{
    AccountId, UserId,
    text::{self, find_invisible},
};

/// Signed-in user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub account_id: AccountId,
    pub email: String,
    pub role: Role,
}

/// Email address of a user, in lower case because it is case-insensitive, and with its domain in ASCII (punycode) because
/// browsers send what is typed into an email field in this form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Maximum length that mail servers accept.
    pub const MAX_LENGTH: usize = 254;

    /// Returns the stored form of an address, for lookups.
    pub fn normalize(text: &str) -> String {
        let email = text.trim().to_lowercase();
        let email = text::normalize(&email);
        match ascii_domain(&email) {
            Some((name, domain)) => format!("{name}@{domain}"),
            None => email.into_owned(),
        }
    }

    /// Parses an address: text on both sides of a single “@”, without invisible characters.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        let email = Self::normalize(text);
        let (name, domain) = ascii_domain(&email).ok_or(InvalidEmail)?;
        let is_complete = email.len() <= Self::MAX_LENGTH && !name.is_empty() && !domain.is_empty();
        let is_unexpected = |c: char| c.is_whitespace() || c.is_control() || ['@', '\u{fffd}'].contains(&c);
        // In the typed text, because invisible characters in domains are ignored.
        if is_complete
            && !name.contains(is_unexpected)
            && !domain.contains(is_unexpected)
            && find_invisible(text).is_none()
        {
            Ok(Self(email))
        } else {
            Err(InvalidEmail)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns name and domain, in ASCII, of an email address. `None` without a valid domain.
fn ascii_domain(email: &str) -> Option<(&str, Cow<'_, str>)> {
    let (name, domain) = email.split_once('@')?;
    Some((
        name,
        idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::EMPTY).ok()?,
    ))
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Error for an invalid email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Enter an email address, such as ada@example.com.")]
pub struct InvalidEmail;

/// Role of a user. Each role includes the permissions of the previous ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[derive(Display, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase", parse_err_ty = String, parse_err_fn = unknown_role)]
pub enum Role {
    /// Reads everything except secrets. See [`super::UrlVisibility`] for URLs.
    Viewer,
    /// Also adds webhooks.
    Member,
    /// Also edits, pauses and deletes webhooks, and reveals secrets.
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

fn unknown_role(text: &str) -> String {
    format!("{text:?} is not a role: use admin, member or viewer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_has_exactly_one_at_sign() {
        let email = Email::parse(" Ada@Example.com ").unwrap();
        assert_eq!(email.as_str(), "ada@example.com");
        assert!(Email::parse("admin@localhost").is_ok());
        assert_eq!(Email::parse("RENE\u{301}@b"), Email::parse("ren\u{e9}@b"));
        for (typed, stored) in [
            ("ada@Bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("иван@почта.рф", "иван@xn--80a1acny.xn--p1ai"),
            ("ada@例え。テスト", "ada@xn--r8jz45g.xn--zckzah"),
            ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
        ] {
            assert_eq!(Email::parse(typed).unwrap().as_str(), stored);
            assert_eq!(Email::normalize(typed), stored);
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "ada",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a@b\0",
            "a@b\u{7}",
            "a\u{200b}@b",
            "a@b\u{ad}",
            "a@b c",
            "a@xn--a",
            &long,
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }
}
