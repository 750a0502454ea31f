//! Who asks for a page, and from where.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

use super::{Ui, flash::Flash, query::ListQuery, render::Looks};
use crate::{
    auth::{Client, SignedIn},
    domain::{Role, Timestamp, User},
    store::Act,
    webhooks::Actor,
};

/// A request of somebody who is signed in; all others are sent to `/login`.
pub struct Visit {
    pub ui: Ui,
    pub user: User,
    pub session: Session,
    pub client: Client,
    pub looks: Looks,
    /// Path and query of a page that can be asked for again: where choosing a theme returns to.
    pub here: String,
    pub query: String,
    /// The path of the page whose link or form led here, if the browser says so.
    pub came_from: Option<String>,
    pub flash: Option<Flash>,
    /// One moment for the whole page.
    pub now: Timestamp,
}

impl Visit {
    pub fn actor(&self) -> Actor {
        Actor {
            account_id: self.user.account_id.clone(),
            name: self.user.email.clone(),
            origin: self.client.origin(),
        }
    }

    /// What they do to people, themselves included.
    pub fn act(&self) -> Act {
        Act {
            actor: self.actor(),
            at: self.now,
        }
    }

    pub fn list_query(&self) -> ListQuery {
        ListQuery::parse(&self.query)
    }

    pub fn may(&self, role: Role) -> bool {
        self.user.role >= role
    }

    /// Leaves a message, and leads to the page that shows it.
    pub async fn leave(&self, flash: Flash, to: &str) -> Response {
        flash.leave(&self.session).await;
        Redirect::to(to).into_response()
    }
}

impl FromRequestParts<Ui> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let SignedIn(user) = SignedIn::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        let session = Session::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        let Ok(client) = Client::from_request_parts(parts, ui).await;
        let asks = parts.method == Method::GET;
        // Only a page that was asked for shows the message: a form that comes back has its own to show.
        let flash = if asks { Flash::take(&session).await } else { None };
        Ok(Self {
            ui: ui.clone(),
            user,
            session,
            client,
            looks: Looks::of(&parts.headers),
            here: parts
                .uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            came_from: referring_path(&parts.headers),
            flash,
            now: ui.clock.now(),
        })
    }
}

fn referring_path(headers: &HeaderMap) -> Option<String> {
    let page: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    Some(page.path().to_owned())
}
