//! Who may use a route: stated once, in the map of the screens, and checked before anything else is looked at.

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{PageError, Ui};
use crate::{auth::SignedIn, domain::Role};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Also those who are not signed in.
    Everybody,
    SignedIn,
    /// Those of that role, and of the ones above it; the text completes “Only admins may …”.
    Needs(Role, &'static str),
}

/// The layer around a route.
pub async fn admit(State((ui, access)): State<(Ui, Access)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if access != Access::Everybody {
        match SignedIn::from_request_parts(&mut parts, &ui).await {
            Err(sign_in) => return sign_in,
            Ok(SignedIn(user)) => {
                if let Access::Needs(needs, what) = access
                    && user.role < needs
                {
                    return PageError::Forbidden { needs, what }.into_response();
                }
            }
        }
    }
    next.run(Request::from_parts(parts, body)).await
}
