//! Who acts, and from where: what the audit log keeps of them.

use std::{fmt, net::IpAddr};

use super::AccountId;

/// Who acts, for which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub account_id: AccountId,
    /// An email, or an API key's name.
    pub name: String,
    pub origin: Origin,
}

impl Actor {
    /// How a key is named, so that it is not taken for a person.
    pub fn key(account_id: AccountId, name: &str, origin: Origin) -> Self {
        Self {
            account_id,
            name: format!("API key “{name}”"),
            origin,
        }
    }

    /// Whoever may run commands on the machine.
    pub fn operator(account_id: AccountId) -> Self {
        Self {
            account_id,
            name: "Operator".to_owned(),
            origin: Origin::CommandLine,
        }
    }

    /// Nobody asked for it.
    pub fn itself(account_id: AccountId) -> Self {
        Self {
            account_id,
            name: "Caleida".to_owned(),
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

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_the_same_however_the_system_gives_it() {
        let mapped = Origin::Address("::ffff:203.0.113.7".parse().unwrap());
        assert_eq!(mapped.text().as_deref(), Some("203.0.113.7"));
        assert_eq!(Origin::CommandLine.text().as_deref(), Some("command line"));
        assert_eq!(Origin::Inside.text(), None);
    }
}
