//! The context of a request by a signed-in user: the user, the session, the client and the preferences.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, Method, Uri, header, request::Parts},
    response::{IntoResponse, Response},
};
use tower_sessions::Session;
use url::form_urlencoded;

use super::{access::not_signed_in, flash::Flash, origin, preferences::Preferences, query::ListQuery};
use crate::{
    auth::{Client, SignedIn},
    domain::{PublicUrl, Role, Timestamp, UrlVisibility, User, Webhook, WebhookId},
    store::{AccountStore, AuditContext},
    ui::{PageError, Ui},
    webhooks::Actor,
};

/// Request header with the URL of the list that the browser already shows. The server does not render it again.
pub const SHOWN_LIST_HEADER: HeaderName = HeaderName::from_static("caleida-shown");

/// A request by a signed-in user. The extractor redirects other clients to the sign-in page.
#[derive(Clone)]
pub struct RequestContext {
    pub ui: Ui,
    pub user: User,
    pub session: Session,
    pub client: Client,
    pub preferences: Preferences,
    /// URL of the dashboard for links: as configured, else as the user opened it.
    pub public_url: PublicUrl,
    /// Path and query of this page. Forms such as the theme menu return to it.
    pub path_and_query: String,
    pub query: String,
    /// Path of the previous page, from the `Referer` header.
    pub referer_path: Option<String>,
    /// URL of the list that the browser already shows, from [`SHOWN_LIST_HEADER`].
    pub shown_list: Option<String>,
    pub flash: Option<Flash>,
    /// Current time, the same for the whole page.
    pub now: Timestamp,
}

impl RequestContext {
    pub fn actor(&self) -> Actor {
        Actor::user(
            self.user.account_id.clone(),
            &self.user.email,
            self.client.origin(),
        )
    }

    /// Returns the context for audit events about users and sessions.
    pub fn audit_context(&self) -> AuditContext {
        AuditContext {
            actor: self.actor(),
            at: self.now,
        }
    }

    /// Returns the data of the user's account.
    pub fn account(&self) -> AccountStore<'_> {
        self.ui.accounts.of(&self.user.account_id)
    }

    /// Returns a webhook of the account.
    pub async fn webhook(&self, id: &WebhookId) -> Result<Webhook, PageError> {
        let webhook = self.account().webhook(id).await?;
        webhook.ok_or(PageError::NotFound)
    }

    /// Returns a parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut parameters = form_urlencoded::parse(self.query.as_bytes());
        let (_, value) = parameters.find(|(other, _)| other == name)?;
        Some(value.into_owned())
    }

    pub fn list_query(&self) -> ListQuery {
        ListQuery::parse(&self.query)
    }

    pub fn has_role(&self, role: Role) -> bool {
        self.user.role >= role
    }

    /// Returns what the user sees of webhooks' URLs.
    pub fn url_visibility(&self) -> UrlVisibility {
        UrlVisibility::of_role(self.user.role)
    }
}

impl FromRequestParts<Ui> for RequestContext {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, ui).await;
        let SignedIn(user) = signed_in.map_err(|error| not_signed_in(&error, parts))?;
        let session = Session::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        let Ok(client) = Client::from_request_parts(parts, ui).await;
        // A rerendered form shows its own message and keeps the flash for the next page.
        let flash = if parts.method == Method::GET {
            Flash::take(&session).await
        } else {
            None
        };
        let shown_list = parts.headers.get(SHOWN_LIST_HEADER);
        let shown_list = shown_list.and_then(|list| list.to_str().ok());
        Ok(Self {
            ui: ui.clone(),
            user,
            session,
            client,
            preferences: Preferences::from_headers(&parts.headers),
            public_url: origin::public_url(ui, parts),
            path_and_query: parts
                .uri
                .path_and_query()
                .map_or("/", |path| path.as_str())
                .to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            referer_path: referer_path(&parts.headers),
            shown_list: shown_list.map(ToOwned::to_owned),
            flash,
            now: ui.clock.now(),
        })
    }
}

fn referer_path(headers: &HeaderMap) -> Option<String> {
    let page: Uri = headers.get(header::REFERER)?.to_str().ok()?.parse().ok()?;
    Some(page.path().to_owned())
}
