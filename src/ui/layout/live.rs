//! Pages as they change: streams of server-sent events, `…/live` beside the page.
//!
//! Each event is a part of the page, rendered anew whenever it has changed. It is looked for in the database, as the
//! page does it, so a watcher sees what any process has done.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::FromRequestParts,
    http::request::Parts,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use leptos::prelude::AnyView;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower_sessions::Session;

use crate::{
    auth::SignedIn,
    domain::{AccountId, Role, Timestamp, WebhookId},
    store::StoreError,
    ui::{
        PageError, Ui,
        layout::fragment::Fragment,
        request::{access::sign_in, preferences::Preferences, zone::Zone},
    },
};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// How many may watch at once in this process: each of them costs a look every second.
static PLACES: Semaphore = Semaphore::const_new(200);

/// A part of a page that changes while somebody looks at it.
pub trait Watched: Send + 'static {
    /// What it is rendered from.
    type Seen: Clone + PartialEq + Send;

    /// Who may see it.
    const LEAST: Role;

    fn look(
        &self,
        ui: &Ui,
        account: &AccountId,
    ) -> impl Future<Output = Result<Self::Seen, StoreError>> + Send;

    fn render(&self, seen: Self::Seen, now: Timestamp) -> AnyView;
}

/// Somebody who is signed in and wants to be kept up to date.
pub struct Watcher {
    ui: Ui,
    account: AccountId,
    session: Session,
    zone: Zone,
}

impl FromRequestParts<Ui> for Watcher {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, ui).await;
        let SignedIn(user) = signed_in.map_err(|error| sign_in(&error, parts))?;
        let session = Session::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self {
            ui: ui.clone(),
            account: user.account_id,
            session,
            zone: Preferences::of(&parts.headers).zone,
        })
    }
}

impl Watcher {
    /// Nobody waits for what is not there.
    pub async fn require_webhook(&self, id: &WebhookId) -> Result<(), PageError> {
        let webhook = self.ui.accounts.of(&self.account).webhook(id).await?;
        webhook.map(drop).ok_or(PageError::NotFound)
    }

    /// Answers with the stream.
    pub fn watch<W: Watched>(self, watched: W) -> Result<Response, PageError> {
        let place = PLACES.try_acquire().map_err(|_| PageError::Unavailable)?;
        let watching = Watching {
            watcher: self,
            watched,
            seen: None,
            _place: place,
        };
        let events = stream::unfold(watching, |mut watching| async {
            let event = watching.next().await?;
            Some((Ok::<_, Infallible>(event), watching))
        });
        Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
    }

    /// Who has signed out, was disabled or lost the role, sees no more.
    async fn may_go_on(&self, least: Role) -> bool {
        let user = self.ui.auth.session_user(&self.session).await;
        matches!(user, Ok(Some(found)) if found.user.role >= least)
    }
}

struct Watching<W: Watched> {
    watcher: Watcher,
    watched: W,
    /// What the browser shows.
    seen: Option<W::Seen>,
    _place: SemaphorePermit<'static>,
}

impl<W: Watched> Watching<W> {
    /// Waits until there is something new. `None`: this connection is over.
    async fn next(&mut self) -> Option<Event> {
        let Watcher {
            ui, account, zone, ..
        } = &self.watcher;
        loop {
            if self.seen.is_some() {
                tokio::select! {
                    () = ui.stopping.cancelled() => return None,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            if !self.watcher.may_go_on(W::LEAST).await {
                return None;
            }
            // If it cannot be read, the browser tries again by itself.
            let seen = self.watched.look(ui, account).await.ok()?;
            if self.seen.as_ref() == Some(&seen) {
                continue;
            }
            self.seen = Some(seen.clone());
            let now = ui.clock.now();
            let html = Fragment::render(zone, || self.watched.render(seen, now));
            // The one character that cannot travel so, and means nothing in HTML.
            return Some(
                Event::default()
                    .event("change")
                    .data(html.as_str().replace('\r', " ")),
            );
        }
    }
}
