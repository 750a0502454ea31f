//! Actors as the audit log records them: the principal and the origin of an action.

use std::{fmt, net::IpAddr};

use super::{AccountId, text::normalize};

/// Principal that acts for an account, and the origin of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub account_id: AccountId,
    pub principal: Principal,
    pub origin: Origin,
}

/// User, API key or system that performs an action.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// User, identified by email address.
    User(String),
    /// API key, identified by name.
    ApiKey(String),
    /// User of the command line.
    Operator,
    /// Caleida itself.
    System,
}

impl Principal {
    /// Returns the stored form: `user:ada@example.com`, `api_key:deploy`, `operator`, `system`.
    pub fn code(&self) -> String {
        match self {
            Self::User(email) => format!("user:{email}"),
            Self::ApiKey(name) => format!("api_key:{name}"),
            Self::Operator => "operator".to_owned(),
            Self::System => "system".to_owned(),
        }
    }

    /// Parses the stored form.
    pub fn from_code(code: &str) -> Option<Self> {
        match code.split_once(':') {
            Some(("user", email)) => Some(Self::User(email.to_owned())),
            Some(("api_key", name)) => Some(Self::ApiKey(name.to_owned())),
            None if code == "operator" => Some(Self::Operator),
            None if code == "system" => Some(Self::System),
            _ => None,
        }
    }

    /// Parses a filter, which may have the stored or the displayed form.
    pub fn from_filter(text: &str) -> Self {
        let text = &*normalize(text);
        let named = [Self::Operator, Self::System];
        let displayed = || named.into_iter().find(|principal| principal.to_string() == text);
        let key = || Some(text.strip_prefix("API key “")?.strip_suffix('”')?.to_owned());
        Self::from_code(text)
            .or_else(displayed)
            .or_else(|| key().map(Self::ApiKey))
            .unwrap_or_else(|| Self::User(text.to_owned()))
    }
}

impl fmt::Display for Principal {
    /// Writes the displayed form. API keys are marked as such, so that they cannot be mistaken for users.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(email) => f.write_str(email),
            Self::ApiKey(name) => write!(f, "API key “{name}”"),
            Self::Operator => f.write_str("Operator"),
            Self::System => f.write_str("Caleida"),
        }
    }
}

impl Actor {
    pub fn user(account_id: AccountId, email: &str, origin: Origin) -> Self {
        Self {
            account_id,
            principal: Principal::User(email.to_owned()),
            origin,
        }
    }

    pub fn api_key(account_id: AccountId, name: &str, origin: Origin) -> Self {
        Self {
            account_id,
            principal: Principal::ApiKey(name.to_owned()),
            origin,
        }
    }

    /// Returns the actor of commands on the server.
    pub fn operator(account_id: AccountId) -> Self {
        Self {
            account_id,
            principal: Principal::Operator,
            origin: Origin::CommandLine,
        }
    }

    /// Returns the actor of changes that Caleida makes on its own.
    pub fn system(account_id: AccountId) -> Self {
        Self {
            account_id,
            principal: Principal::System,
            origin: Origin::Internal,
        }
    }
}

/// Origin of an action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// Address of the client.
    Address(IpAddr),
    CommandLine,
    /// Caleida itself.
    #[default]
    Internal,
}

impl Origin {
    /// Returns the stored form: an address, `command line`, or `None`.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Address(address) => Some(address.to_canonical().to_string()),
            Self::CommandLine => Some("command line".to_owned()),
            Self::Internal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_parsed_from_codes_and_displayed_forms() {
        for principal in [
            Principal::User("ada@example.com".to_owned()),
            Principal::ApiKey("deploy: “blue”".to_owned()),
            Principal::Operator,
            Principal::System,
        ] {
            assert_eq!(Principal::from_code(&principal.code()).as_ref(), Some(&principal));
            assert_eq!(Principal::from_filter(&principal.code()), principal);
            assert_eq!(Principal::from_filter(&principal.to_string()), principal);
        }
        assert_eq!(Principal::from_code("ada@example.com"), None);
    }

    #[test]
    fn mapped_addresses_are_written_as_ipv4() {
        let mapped = Origin::Address("::ffff:203.0.113.7".parse().unwrap());
        assert_eq!(mapped.text().as_deref(), Some("203.0.113.7"));
        assert_eq!(Origin::CommandLine.text().as_deref(), Some("command line"));
        assert_eq!(Origin::Internal.text(), None);
    }
}
