//! Live pages: server-sent events at `…/live`.
//!
//! An event is the HTML of a part of the page. A response contains one if the part differs from the browser's last event,
//! and ends; the browser asks again a second later. A stream that stays open would take one of the six connections that
//! browsers make per server, so that a few open tabs would block all others, and proxies would buffer it.

use std::{
    convert::Infallible,
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
    response::{IntoResponse, Response, Sse, sse::Event},
};
use futures_util::stream;
use leptos::prelude::AnyView;

use crate::{
    auth::SignedIn,
    domain::{AccountId, Timestamp, WebhookId},
    store::StoreError,
    ui::{
        PageError, Ui,
        layout::fragment::Fragment,
        request::{access::not_signed_in, preferences::Preferences, zone::Zone},
    },
};

/// Delay between two requests of a browser.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A part of a page that is kept up to date.
pub trait LiveFragment: Send + 'static {
    /// Data that the part is rendered from.
    type Snapshot: Hash + Send;

    /// Loads the current data.
    fn poll(
        &self,
        ui: &Ui,
        account: &AccountId,
    ) -> impl Future<Output = Result<Self::Snapshot, StoreError>> + Send;

    fn render(&self, snapshot: Self::Snapshot, now: Timestamp) -> AnyView;
}

/// A request for the current state of a part, by a signed-in user.
pub struct LiveRequest {
    ui: Ui,
    account: AccountId,
    zone: Zone,
    /// ID of the event that the browser shows.
    last_event: Option<String>,
}

impl FromRequestParts<Ui> for LiveRequest {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, ui: &Ui) -> Result<Self, Response> {
        let signed_in = SignedIn::from_request_parts(parts, ui).await;
        let SignedIn(user) = signed_in.map_err(|error| not_signed_in(&error, parts))?;
        let last_event = parts.headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok());
        Ok(Self {
            ui: ui.clone(),
            account: user.account_id,
            zone: Preferences::from_headers(&parts.headers).zone,
            last_event: last_event.map(str::to_owned),
        })
    }
}

impl LiveRequest {
    /// Returns an error if the webhook does not exist.
    pub async fn require_webhook(&self, id: &WebhookId) -> Result<(), PageError> {
        let webhook = self.ui.accounts.of(&self.account).webhook(id).await?;
        webhook.map(drop).ok_or(PageError::NotFound)
    }

    /// Returns the response: an event if the part has changed.
    pub async fn respond<F: LiveFragment>(self, fragment: F) -> Result<Response, PageError> {
        let Self {
            ui, account, zone, ..
        } = &self;
        let snapshot = fragment.poll(ui, account).await?;
        let id = event_id(&snapshot);
        let mut event = Event::default().retry(POLL_INTERVAL);
        if self.last_event.as_ref() != Some(&id) {
            let now = ui.clock.now();
            let html = Fragment::render(zone, || fragment.render(snapshot, now));
            // SSE cannot transmit carriage returns. HTML treats them as white space.
            let data = html.as_str().replace('\r', " ");
            event = event.event("change").id(id).data(data);
        }
        let events = stream::iter([Ok::<_, Infallible>(event)]);
        Ok(Sse::new(events).into_response())
    }
}

fn event_id(snapshot: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    snapshot.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
