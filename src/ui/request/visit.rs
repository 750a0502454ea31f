//! Who asks for a page, and from where.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, Method, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use tower_sessions::Session;

use super::{access::sign_in, flash::Flash, preferences::Preferences, query::ListQuery};
use crate::{
    auth::{Client, SignedIn},
    domain::{Role, Timestamp, User, Webhook, WebhookId},
    store::{AccountStore, AuditContext},
    ui::{PageError, Ui},
    webhooks::Actor,
};

/// Sent by a script that shows a page already: the address of the list on it, which need not be rendered again.
pub const SHOWN: HeaderName = HeaderName::from_static("caleida-shown");

/// A request of somebody who is signed in; all others are asked to sign in.
#[derive(Clone)]
pub struct Visit {
    pub ui: Ui,
    pub user: User,
    pub session: Session,
    pub client: Client,
    pub preferences: Preferences,
    /// Path and query of a page that can be asked for again: where choosing a theme returns to.
    pub here: String,
    pub query: String,
    /// The path of the page whose link or form led here, if the browser says so.
    pub came_from: Option<String>,
    /// The list that the browser shows, if a script asks.
    pub shown: Option<String>,
    pub flash: Option<Flash>,
    /// One moment for the whole page.
    pub now: Timestamp,
}

impl Visit {
    pub fn actor(&self) -> Actor {
        Actor::user(
            self.user.account_id.clone(),
            &self.user.email,
            self.client.origin(),
        )
    }

    /// What they do to people, themselves included.
    pub fn context(&self) -> AuditContext {
        AuditContext {
            actor: self.actor(),
            at: self.now,
        }
    }

    /// Returns the data of the user's account.
    pub fn account(&self) -> AccountStore<'_> {
        self.ui.accounts.of(&self.user.account_id)
    }

    /// A webhook of the account.
    pub async fn webhook(&self, id: &WebhookId) -> Result<Webhook, PageError> {
        let webhook = self.account().webhook(id).await?;
        webhook.ok_or(PageError::NotFound)
    }

    pub fn list_query(&self) -> ListQuery {
        ListQuery::parse(&self.query)
    }

    pub fn may(&self, role: Role) -> bool {
        self.user.role >= role
    }
}

impl FromRequestParts<Ui> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, ui).await;
        let SignedIn(user) = signed_in.map_err(|error| sign_in(&error, parts))?;
        let session = Session::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        let Ok(client) = Client::from_request_parts(parts, ui).await;
        let asks = parts.method == Method::GET;
        // Only a page that was asked for shows the message: a form that comes back has its own to show.
        let flash = if asks { Flash::take(&session).await } else { None };
        let shown = parts.headers.get(SHOWN).and_then(|shown| shown.to_str().ok());
        Ok(Self {
            ui: ui.clone(),
            user,
            session,
            client,
            preferences: Preferences::of(&parts.headers),
            here: parts
                .uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            came_from: referring_path(&parts.headers),
            shown: shown.map(ToOwned::to_owned),
            flash,
            now: ui.clock.now(),
        })
    }
}

fn referring_path(headers: &HeaderMap) -> Option<String> {
    let page: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    Some(page.path().to_owned())
}
