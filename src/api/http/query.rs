//! Query parameters.

use std::{fmt::Display, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;

use super::Problem;

/// Parsed query parameters. Unknown parameters are rejected: ignoring a misspelled filter would return wrong results.
pub(crate) struct Query<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs)
            .map(Self)
            .map_err(|error| {
                let text = error.inner().to_string();
                // The path of a missing or repeated parameter is empty.
                let named = |prefix| text.strip_prefix(prefix)?.strip_suffix('`');
                if let Some(parameter) = named("duplicate field `") {
                    let message = format!("Send the parameter “{parameter}” only once.");
                    return Problem::invalid(parameter, message);
                }
                let missing = named("missing field `");
                let parameter = missing.map_or_else(|| error.path().to_string(), str::to_owned);
                let text = text.trim_end_matches('.');
                let message = format!("The parameter “{parameter}” is invalid: {text}.");
                Problem::invalid(parameter, message)
            })
    }
}

/// A list's `next_cursor`, passed back as `cursor`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String", bound = "T: FromStr<Err: Display>")]
pub(crate) struct Cursor<T>(pub(crate) T);

impl<T: FromStr> TryFrom<String> for Cursor<T> {
    type Error = T::Err;

    fn try_from(text: String) -> Result<Self, T::Err> {
        text.parse().map(Self)
    }
}

/// Maximum number of entries on a page.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(pub(crate) u32);

impl Limit {
    pub(crate) const MAX: u32 = 100;
}

impl Default for Limit {
    fn default() -> Self {
        Self(Self::MAX)
    }
}

impl TryFrom<String> for Limit {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let limit = text.parse().ok();
        limit
            .filter(|limit| (1..=Self::MAX).contains(limit))
            .map(Self)
            .ok_or("use 1 to 100")
    }
}
