//! The client of a request: its address and user agent.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{header, request::Parts},
};

use crate::domain::Origin;

/// Maximum number of characters kept of a user agent.
const MAX_USER_AGENT_LENGTH: usize = 256;

#[derive(Debug, Clone)]
pub struct Client {
    pub address: IpAddr,
    /// Untrusted text from the request, truncated.
    pub user_agent: String,
}

impl Client {
    /// Returns the origin for the audit log.
    pub fn origin(&self) -> Origin {
        Origin::Address(self.address)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let user_agent = parts.headers.get(header::USER_AGENT);
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
        })
    }
}
