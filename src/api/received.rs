//! `GET /api/v1/events` and `…/{id}`: what was received, and what became of it.

use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::HeaderMap,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Api, Problem, deliveries::DeliveryView, query::Moment};
use crate::{
    auth::api_key::WEBHOOKS_READ,
    domain::{EventId, EventType, Fate, NotSent, ReceivedEvent, WebhookId, place::InvalidPlace},
    store::EventFilter,
};

/// Events in one answer.
const PAGE: u32 = 100;

#[derive(Serialize)]
struct EventView {
    id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    timestamp: String,
    received_at: String,
    deliveries: u32,
}

#[derive(Serialize)]
struct EventList {
    events: Vec<EventView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct EventDetailView {
    #[serde(flatten)]
    event: EventView,
    body: Option<Box<RawValue>>,
    delivery_log: Vec<DeliveryView>,
    not_sent: Vec<NotSentView>,
}

#[derive(Serialize)]
struct NotSentView {
    webhook_id: WebhookId,
    reason: &'static str,
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    #[serde(rename = "type")]
    event_type: Option<EventType>,
    #[serde(default)]
    unsent: bool,
    since: Option<Moment>,
    until: Option<Moment>,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<impl Serialize>, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let Query(query) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let before = query.cursor.map(|cursor| cursor.parse()).transpose();
    let before = before.map_err(|invalid: InvalidPlace| Problem::malformed(invalid.to_string()))?;
    let filter = EventFilter {
        event_type: query.event_type,
        unsent: query.unsent,
        since: query.since.map(|moment| moment.0),
        until: query.until.map(|moment| moment.0),
        before,
        limit: PAGE,
    };
    let page = api.store.list_events(&key.account_id, &filter).await?;
    Ok(Json(EventList {
        events: page.events.into_iter().map(EventView::from).collect(),
        next_cursor: page.next.map(|place| place.to_string()),
    }))
}

pub(super) async fn show(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<impl Serialize>, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let unknown = || Problem::not_found("There is no such event.");
    let id = id.parse().map_err(|_| unknown())?;
    let detail = api.store.event(&key.account_id, &id).await?.ok_or_else(unknown)?;
    let (mut delivery_log, mut not_sent) = (Vec::new(), Vec::new());
    for fate in detail.fates {
        match fate {
            Fate::Delivery(delivery) => delivery_log.push(DeliveryView::from(*delivery)),
            Fate::NotSent {
                webhook_id, reason, ..
            } => not_sent.push(NotSentView {
                webhook_id,
                reason: name_of(reason),
            }),
        }
    }
    Ok(Json(EventDetailView {
        event: detail.event.into(),
        body: serde_json::from_slice(&detail.payload).ok(),
        delivery_log,
        not_sent,
    }))
}

fn name_of(reason: NotSent) -> &'static str {
    match reason {
        NotSent::NotSubscribed => "not_subscribed",
        NotSent::Disabled => "disabled",
        NotSent::AddedLater(_) => "added_later",
    }
}

impl From<ReceivedEvent> for EventView {
    fn from(event: ReceivedEvent) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type,
            timestamp: event.occurred_at.rfc3339(),
            received_at: event.received_at.rfc3339(),
            deliveries: event.deliveries,
        }
    }
}
