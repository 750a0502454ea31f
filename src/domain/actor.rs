//! Who acts, and from where: what the audit log keeps of them.

use std::{fmt, net::IpAddr};

use super::AccountId;

/// Who acts, for which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub account_id: AccountId,
    pub principal: Principal,
    pub origin: Origin,
}

/// A person, a key, or the product itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// By email.
    User(String),
    /// By name.
    ApiKey(String),
    /// A user of the machine, who runs commands.
    Operator,
    /// No user asked for it.
    System,
}

impl Principal {
    /// The form that is stored: `user:ada@example.com`, `api_key:deploy`, `operator`, `system`.
    pub fn code(&self) -> String {
        match self {
            Self::User(email) => format!("user:{email}"),
            Self::ApiKey(name) => format!("api_key:{name}"),
            Self::Operator => "operator".to_owned(),
            Self::System => "system".to_owned(),
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        match code.split_once(':') {
            Some(("user", email)) => Some(Self::User(email.to_owned())),
            Some(("api_key", name)) => Some(Self::ApiKey(name.to_owned())),
            None if code == "operator" => Some(Self::Operator),
            None if code == "system" => Some(Self::System),
            _ => None,
        }
    }

    /// Reads a filter, in which people also write what they are shown.
    pub fn from_filter(text: &str) -> Self {
        let known = [Self::Operator, Self::System];
        let shown = || known.into_iter().find(|principal| principal.to_string() == text);
        let key = || Some(text.strip_prefix("API key “")?.strip_suffix('”')?.to_owned());
        Self::from_code(text)
            .or_else(shown)
            .or_else(|| key().map(Self::ApiKey))
            .unwrap_or_else(|| Self::User(text.to_owned()))
    }
}

/// As people are shown it. A key is not to be taken for a person.
impl fmt::Display for Principal {
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

    pub fn key(account_id: AccountId, name: &str, origin: Origin) -> Self {
        Self {
            account_id,
            principal: Principal::ApiKey(name.to_owned()),
            origin,
        }
    }

    /// Whoever may run commands on the machine.
    pub fn operator(account_id: AccountId) -> Self {
        Self {
            account_id,
            principal: Principal::Operator,
            origin: Origin::CommandLine,
        }
    }

    /// Nobody asked for it.
    pub fn itself(account_id: AccountId) -> Self {
        Self {
            account_id,
            principal: Principal::System,
            origin: Origin::Inside,
        }
    }
}

/// From where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Origin {
    /// The other end of the connection.
    Address(IpAddr),
    CommandLine,
    /// The product itself.
    #[default]
    Inside,
}

impl Origin {
    /// As it is written down: an address, `command line`, or nothing.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Address(address) => Some(address.to_canonical().to_string()),
            Self::CommandLine => Some("command line".to_owned()),
            Self::Inside => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_principal_survives_its_code_and_is_found_as_it_is_shown() {
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
    fn an_address_is_written_the_same_however_the_system_gives_it() {
        let mapped = Origin::Address("::ffff:203.0.113.7".parse().unwrap());
        assert_eq!(mapped.text().as_deref(), Some("203.0.113.7"));
        assert_eq!(Origin::CommandLine.text().as_deref(), Some("command line"));
        assert_eq!(Origin::Inside.text(), None);
    }
}
