//! The client of a request: its address and user agent.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{header, request::Parts},
};
use axum_extra::extract::cookie::CookieJar;

use crate::domain::Origin;

/// Maximum number of characters kept of a user agent.
const MAX_USER_AGENT_LENGTH: usize = 256;

/// Name of the cookie with the token of a browser that has signed in before.
pub const BROWSER_COOKIE: &str = "caleida-browser";

/// Prefix of a cookie name with which browsers reject the cookie if another host sets it or https is missing.
const HOST_PREFIX: &str = "__Host-";

/// Returns the name of a cookie, with the prefix `__Host-` if cookies require https.
pub fn cookie_name(name: &str, https: bool) -> String {
    format!("{}{name}", if https { HOST_PREFIX } else { "" })
}

#[derive(Debug, Clone)]
pub struct Client {
    pub address: IpAddr,
    /// Untrusted text from the request, truncated.
    pub user_agent: String,
    /// Untrusted token of a browser that has signed in before.
    pub browser_token: Option<String>,
}

impl Client {
    /// Returns the origin for the audit log.
    pub fn origin(&self) -> Origin {
        Origin::Address(self.address)
    }

    /// Returns the network by which failures are counted: an IPv4 address, or a /64 of IPv6, which is what each customer
    /// of a provider has at least.
    pub(super) fn network(&self) -> String {
        match self.address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => {
                let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
                format!("{network}/64")
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let user_agent = parts.headers.get(header::USER_AGENT);
        let cookies = CookieJar::from_headers(&parts.headers);
        let browser = [true, false]
            .into_iter()
            .find_map(|https| cookies.get(&cookie_name(BROWSER_COOKIE, https)));
        let user_agent = user_agent.map(|value| String::from_utf8_lossy(value.as_bytes()));
        Ok(Self {
            // Every connection sets the address. Without one, use an address that no client has.
            address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| {
                address.ip().to_canonical()
            }),
            user_agent: user_agent
                .unwrap_or_default()
                .chars()
                .take(MAX_USER_AGENT_LENGTH)
                .collect(),
            browser_token: browser.map(|cookie| cookie.value().to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_addresses_are_counted_by_64_bits() {
        let network = |address: &str| {
            let client = Client {
                address: address.parse().unwrap(),
                user_agent: String::new(),
                browser_token: None,
            };
            client.network()
        };
        assert_eq!(network("203.0.113.7"), "203.0.113.7");
        assert_ne!(network("203.0.113.7"), network("203.0.113.8"));
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(network("2001:db8:1:2:ffff::1"), network("2001:db8:1:2::"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }
}
