//! Live pages: streams of server-sent events at `…/live`.
//!
//! Each event is the HTML of a part of the page, sent whenever its data changes. The stream polls the database, so it
//! also shows changes made by other processes.

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
        request::{access::not_signed_in, preferences::Preferences, zone::Zone},
    },
};

const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Limit of concurrent streams per process. Each stream polls the database once per interval.
static STREAMS: Semaphore = Semaphore::const_new(200);

/// A part of a page that is kept up to date.
pub trait LiveFragment: Send + 'static {
    /// Data that the part is rendered from.
    type Snapshot: Clone + PartialEq + Send;

    /// Minimum role of the user.
    const MIN_ROLE: Role;

    /// Loads the current data.
    fn poll(
        &self,
        ui: &Ui,
        account: &AccountId,
    ) -> impl Future<Output = Result<Self::Snapshot, StoreError>> + Send;

    fn render(&self, snapshot: Self::Snapshot, now: Timestamp) -> AnyView;
}

/// A request for a stream by a signed-in user.
pub struct LiveRequest {
    ui: Ui,
    account: AccountId,
    session: Session,
    zone: Zone,
}

impl FromRequestParts<Ui> for LiveRequest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, ui).await;
        let SignedIn(user) = signed_in.map_err(|error| not_signed_in(&error, parts))?;
        let session = Session::from_request_parts(parts, ui)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self {
            ui: ui.clone(),
            account: user.account_id,
            session,
            zone: Preferences::from_headers(&parts.headers).zone,
        })
    }
}

impl LiveRequest {
    /// Returns an error if the webhook does not exist.
    pub async fn require_webhook(&self, id: &WebhookId) -> Result<(), PageError> {
        let webhook = self.ui.accounts.of(&self.account).webhook(id).await?;
        webhook.map(drop).ok_or(PageError::NotFound)
    }

    /// Returns the response that streams `fragment`.
    pub fn stream<F: LiveFragment>(self, fragment: F) -> Result<Response, PageError> {
        let permit = STREAMS.try_acquire().map_err(|_| PageError::Unavailable)?;
        let stream = LiveStream {
            request: self,
            fragment,
            last: None,
            _permit: permit,
        };
        let events = stream::unfold(stream, |mut stream| async {
            let event = stream.next().await?;
            Some((Ok::<_, Infallible>(event), stream))
        });
        Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
    }

    /// Returns whether the session is still valid and the user still has the role.
    async fn is_authorized(&self, min_role: Role) -> bool {
        let user = self.ui.auth.session_user(&self.session).await;
        matches!(user, Ok(Some(found)) if found.user.role >= min_role)
    }
}

struct LiveStream<F: LiveFragment> {
    request: LiveRequest,
    fragment: F,
    /// Data that the browser shows.
    last: Option<F::Snapshot>,
    _permit: SemaphorePermit<'static>,
}

impl<F: LiveFragment> LiveStream<F> {
    /// Waits until the data changes. Returns `None` to end the stream.
    async fn next(&mut self) -> Option<Event> {
        let LiveRequest {
            ui, account, zone, ..
        } = &self.request;
        loop {
            if self.last.is_some() {
                tokio::select! {
                    () = ui.shutdown.cancelled() => return None,
                    () = tokio::time::sleep(POLL_INTERVAL) => {}
                }
            }
            if !self.request.is_authorized(F::MIN_ROLE).await {
                return None;
            }
            // On a database error the stream ends, and the browser reconnects.
            let snapshot = self.fragment.poll(ui, account).await.ok()?;
            if self.last.as_ref() == Some(&snapshot) {
                continue;
            }
            self.last = Some(snapshot.clone());
            let now = ui.clock.now();
            let html = Fragment::render(zone, || self.fragment.render(snapshot, now));
            // SSE cannot transmit carriage returns. HTML treats them as white space.
            return Some(
                Event::default()
                    .event("change")
                    .data(html.as_str().replace('\r', " ")),
            );
        }
    }
}
