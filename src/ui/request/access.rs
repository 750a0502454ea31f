//! Access control. Each route declares its access in the table of routes, and a layer checks it before the handler runs.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{Method, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use url::form_urlencoded;

use crate::{
    auth::{NotSignedIn, SignedIn},
    domain::Role,
    ui::{
        PageError, Ui,
        actions::{
            is_action,
            refusal::{Reason, Refusal},
        },
        layout::fragment::Fragment,
        paths,
        request::{local_path::LocalPath, zone::Zone},
    },
};

/// `Retry-After` seconds when the database is unavailable.
const RETRY_SECONDS: u64 = 5;

/// Access required by a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No session required.
    Public,
    SignedIn,
    /// Minimum role. The text completes “Only admins may …”.
    Requires(Role, &'static str),
}

/// Middleware that checks the access of a route.
pub async fn authorize(State((ui, access)): State<(Ui, Access)>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    if access != Access::Public {
        match SignedIn::from_request_parts(&mut parts, &ui).await {
            Err(error) => return not_signed_in(&error, &parts),
            Ok(SignedIn(user)) => {
                if let Access::Requires(role, action) = access
                    && user.role < role
                {
                    return PageError::Forbidden { role, action }.into_response();
                }
            }
        }
    }
    next.run(Request::from_parts(parts, body)).await
}

/// Returns the response for a request without a session. Pages redirect to the sign-in page, which returns to them.
/// Server functions return an error, so that the form in the browser keeps its values.
pub fn not_signed_in(error: &NotSignedIn, parts: &Parts) -> Response {
    match error {
        NotSignedIn::Unavailable(_) => {
            let retry_after = [(header::RETRY_AFTER, RETRY_SECONDS.to_string())];
            (retry_after, PageError::Unavailable).into_response()
        }
        NotSignedIn::NoSession if is_action(parts.uri.path()) => {
            let part = Fragment::render(&Zone::default(), || view! { <SignInNotice/> });
            let refusal = Refusal {
                part: Some(part),
                ..Refusal::new(Reason::SignedOut)
            };
            refusal.into_response()
        }
        NotSignedIn::NoSession => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.append_pair("next", &next_path(parts)).finish();
            Redirect::to(&format!("{}?{query}", paths::LOGIN)).into_response()
        }
    }
}

/// Returns the path to show after signing in: the requested page or, for a form, the page with the form.
fn next_path(parts: &Parts) -> String {
    let path = |uri: &Uri| uri.path_and_query().map(|path| path.as_str().to_owned());
    let referer_path = || {
        let referer = parts.headers.get(header::REFERER)?.to_str().ok()?;
        path(&referer.parse().ok()?)
    };
    let form_page = if parts.method == Method::POST {
        referer_path()
    } else {
        None
    };
    let next = form_page
        .or_else(|| path(&parts.uri))
        .filter(|path| LocalPath::parse(path).is_some());
    next.unwrap_or_else(|| paths::LIST.to_owned())
}

#[component]
fn SignInNotice() -> impl IntoView {
    view! {
        <p class="notice notice--bad" role="alert" tabindex="-1">
            "You are signed out. "
            <a href=paths::LOGIN target="_blank">"Sign in (opens a new tab)"</a>
            ", then try again. Your input is kept."
        </p>
    }
}
