//! Extracts path parameters. An unparsable id is a 404, like an unknown one.

use axum::{
    extract::{self, FromRequestParts},
    http::request::Parts,
};

use super::{Problem, path_params::PathParams};

/// Parsed path parameters.
pub(crate) struct Path<P>(pub(crate) P);

impl<S: Send + Sync, P: PathParams> FromRequestParts<S> for Path<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = extract::Path::from_request_parts(parts, state).await;
        let extract::Path(params) = path.map_err(|_| Problem::unknown_id::<P>())?;
        Ok(Self(params))
    }
}
