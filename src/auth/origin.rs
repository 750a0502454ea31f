//! Extractor for the origin of a request, which the audit log records.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::Client;
use crate::domain::Origin;

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Client::from_request_parts(parts, state).await?.origin())
    }
}
