//! Where a request comes from, as far as it says so.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{header, request::Parts},
};

use crate::domain::Origin;

/// So much of what a browser calls itself is kept.
const USER_AGENT: usize = 256;

#[derive(Debug, Clone)]
pub struct Client {
    pub address: IpAddr,
    /// As it was sent, cut short: anything may stand here.
    pub user_agent: String,
}

impl Client {
    /// As the audit log keeps it.
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
            // Every connection has one; a request that came by none is nobody else's.
            address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| {
                address.ip().to_canonical()
            }),
            user_agent: user_agent.unwrap_or_default().chars().take(USER_AGENT).collect(),
        })
    }
}
