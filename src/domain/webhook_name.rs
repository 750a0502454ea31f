//! Names of webhooks.

use std::fmt;

use super::text::{InvalidLine, InvisibleCharacter, parse_line};

/// Name of a webhook: a line of 1 to 100 characters, unique in the account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebhookName(String);

/// Error for an invalid name of a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("Enter a name for the webhook.")]
    Empty,
    #[error("Use at most {} characters for the name.", WebhookName::MAX_LENGTH)]
    TooLong,
    #[error("Remove line breaks and other control characters from the name.")]
    ControlCharacters,
    #[error("Remove the invisible character {0} from the name.")]
    Invisible(InvisibleCharacter),
}

impl From<InvalidLine> for InvalidName {
    fn from(error: InvalidLine) -> Self {
        match error {
            InvalidLine::Empty => Self::Empty,
            InvalidLine::Control => Self::ControlCharacters,
            InvalidLine::Invisible(character) => Self::Invisible(character),
        }
    }
}

impl WebhookName {
    pub const MAX_LENGTH: usize = 100;

    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let name = parse_line(text)?;
        if name.chars().count() > Self::MAX_LENGTH {
            return Err(InvalidName::TooLong);
        }
        Ok(Self(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the error message for a name that is already in use.
    pub fn taken_message(&self) -> String {
        format!("A webhook named “{}” already exists.", self.0)
    }
}

impl fmt::Display for WebhookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_is_trimmed_and_limited_in_characters() {
        assert_eq!(
            WebhookName::parse("  Orders → CRM ").unwrap().as_str(),
            "Orders → CRM"
        );
        assert_eq!(WebhookName::parse(" \t"), Err(InvalidName::Empty));
        assert!(WebhookName::parse(&"é".repeat(100)).is_ok());
        assert_eq!(WebhookName::parse(&"é".repeat(101)), Err(InvalidName::TooLong));
        assert_eq!(WebhookName::parse("a\nb"), Err(InvalidName::ControlCharacters));
        // Counted as it is stored.
        assert!(WebhookName::parse(&"e\u{301}".repeat(100)).is_ok());
        let error = WebhookName::parse("a\u{200b}b").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Remove the invisible character U+200B from the name."
        );
    }
}
