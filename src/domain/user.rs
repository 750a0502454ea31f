//! Users and their roles.

use std::fmt;

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

/// Email address of a user, in lower case because it is case-insensitive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Maximum length that mail servers accept.
    pub const MAX_LENGTH: usize = 254;

    /// Returns the stored form of an address, for lookups.
    pub fn normalize(text: &str) -> String {
        text::normalize(&text.trim().to_lowercase()).into_owned()
    }

    /// Parses an address: text on both sides of a single “@”, without invisible characters.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let email = Self::normalize(text);
        let (name, host) = email.split_once('@').ok_or(InvalidEmail)?;
        let is_complete = email.len() <= Self::MAX_LENGTH && !name.is_empty() && !host.is_empty();
        let is_invisible = |c: char| c.is_whitespace() || c.is_control() || c == '\u{fffd}';
        if is_complete
            && !host.contains('@')
            && !email.contains(is_invisible)
            && find_invisible(&email).is_none()
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
            &long,
        ] {
            assert_eq!(Email::parse(bad), Err(InvalidEmail), "{bad:?}");
        }
    }
}
