//! The log as it happens: `…/deliveries/live`, a stream of server-sent events.
//!
//! Each event is the rendered entries of the first page, sent whenever they have changed. It looks at the database as
//! the page does, so it sees what any process has done.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Path, RawQuery, State},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;
use tokio::sync::{Semaphore, SemaphorePermit};
use tower_sessions::Session;

use super::{Entries, EntriesProps};
use crate::{
    auth::SignedIn,
    domain::{AccountId, Delivery, User},
    ui::{PageError, Ui, pages::webhook_edit::parse_id, query::LogQuery, render::fragment},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// How many may watch at once in this process: each of them costs a look every second.
static PLACES: Semaphore = Semaphore::const_new(200);

pub async fn of_all(
    State(ui): State<Ui>,
    SignedIn(user): SignedIn,
    session: Session,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = LogQuery::parse(&query.unwrap_or_default(), None);
    watch(ui, user, session, query)
}

pub async fn of_one(
    State(ui): State<Ui>,
    SignedIn(user): SignedIn,
    session: Session,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let id = parse_id(&id)?;
    let webhook = ui.store.webhook(&user.account_id, &id).await?;
    webhook.ok_or(PageError::NotFound)?;
    let query = LogQuery::parse(&query.unwrap_or_default(), Some(id));
    watch(ui, user, session, query)
}

fn watch(ui: Ui, user: User, session: Session, query: LogQuery) -> Result<Response, PageError> {
    let place = PLACES.try_acquire().map_err(|_| PageError::Unavailable)?;
    let watching = Watching {
        ui,
        account: user.account_id,
        session,
        query,
        seen: None,
        _place: place,
    };
    let events = stream::unfold(watching, |mut watching| async {
        let event = watching.next().await?;
        Some((Ok::<_, Infallible>(event), watching))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()).into_response())
}

struct Watching {
    ui: Ui,
    account: AccountId,
    session: Session,
    query: LogQuery,
    /// What the browser shows.
    seen: Option<Vec<Delivery>>,
    _place: SemaphorePermit<'static>,
}

impl Watching {
    /// Who has signed out, or was disabled, sees no more.
    async fn may_go_on(&self) -> bool {
        matches!(self.ui.auth.session_user(&self.session).await, Ok(Some(_)))
    }

    /// Waits until there is something new. `None`: this connection is over.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.seen.is_some() {
                tokio::select! {
                    () = self.ui.stopping.cancelled() => return None,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
            if !self.may_go_on().await {
                return None;
            }
            // If it cannot be read, the browser tries again by itself.
            let log = self
                .ui
                .store
                .list_deliveries(&self.account, &self.query.filter)
                .await
                .ok()?;
            if self.seen.as_ref() == Some(&log.deliveries) {
                continue;
            }
            self.seen = Some(log.deliveries.clone());
            let props = EntriesProps {
                query: self.query.clone(),
                log,
                now: self.ui.clock.now(),
            };
            let html = fragment(|| Entries(props));
            // The one character that cannot travel so, and means nothing in HTML.
            return Some(Event::default().event("log").data(html.replace('\r', " ")));
        }
    }
}
