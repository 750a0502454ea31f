//! Who may use a route: stated once, in the table of routes, and checked before anything else is looked at.

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

/// Seconds after which a database that was away may be there again.
const RETRY_SECONDS: u64 = 5;

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
            Err(error) => return sign_in(&error, &parts),
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

/// Leads to the sign-in page, and from there back to the page that was asked for or whose form was sent. A script is told
/// instead: the form that it sends stays where it is.
pub fn sign_in(error: &NotSignedIn, parts: &Parts) -> Response {
    match error {
        NotSignedIn::Unavailable(_) => {
            let retry_after = [(header::RETRY_AFTER, RETRY_SECONDS.to_string())];
            (retry_after, PageError::Unavailable).into_response()
        }
        NotSignedIn::Nobody if is_action(parts.uri.path()) => {
            let part = Fragment::render(&Zone::default(), || view! { <SignInElsewhere/> });
            let refusal = Refusal {
                part: Some(part),
                ..Refusal::new(Reason::SignedOut)
            };
            refusal.into_response()
        }
        NotSignedIn::Nobody => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.append_pair("next", &next(parts)).finish();
            Redirect::to(&format!("{}?{query}", paths::LOGIN)).into_response()
        }
    }
}

/// A page can be asked for again; of a form, only the page that it was on.
fn next(parts: &Parts) -> String {
    let path = |uri: &Uri| uri.path_and_query().map(|path| path.as_str().to_owned());
    let page = || {
        let referer = parts.headers.get(header::REFERER)?.to_str().ok()?;
        path(&referer.parse().ok()?)
    };
    let asked = if parts.method == Method::POST {
        page()
    } else {
        None
    };
    let next = asked
        .or_else(|| path(&parts.uri))
        .filter(|path| LocalPath::parse(path).is_some());
    next.unwrap_or_else(|| paths::LIST.to_owned())
}

#[component]
fn SignInElsewhere() -> impl IntoView {
    view! {
        <p class="notice notice--bad" role="alert" tabindex="-1">
            "You are signed out. "
            <a href=paths::LOGIN target="_blank">"Sign in on another page"</a>
            ", then do this again: nothing that you typed is lost."
        </p>
    }
}
