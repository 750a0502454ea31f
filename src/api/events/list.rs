//! `GET /api/v1/events` and `GET /api/v1/events/{id}`: received events and their outcome for each webhook.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::{
        Api, EVENTS,
        deliveries::DeliveryView,
        http::{
            Problem,
            caller::{Caller, Read},
            path::Path,
            path_params::EventPath,
            problem::{CommonErrors, InvalidFields, NotFound},
            query::{Cursor, Limit, Query},
            rfc3339::Rfc3339,
        },
    },
    auth::api_key::WEBHOOKS_READ,
    domain::{EventCursor, EventId, EventOutcome, EventType, NotSent, ReceivedEvent, WebhookId},
    store::EventFilter,
};

/// A received event.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView {
    id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    /// When the event happened, according to its publisher.
    timestamp: Rfc3339,
    received_at: Rfc3339,
    /// Number of deliveries created when the event was received.
    #[schema(examples(1))]
    deliveries: u32,
}

/// Events, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventList {
    events: Vec<EventView>,
    /// Cursor of the next page. Absent if there are no older matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("1795428000000.17"))]
    next_cursor: Option<String>,
}

/// An event and its outcome for each webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = EventDetail)]
pub(crate) struct EventDetailView {
    #[serde(flatten)]
    event: EventView,
    /// Body that receivers get.
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
    delivery_log: Vec<DeliveryView>,
    /// Webhooks that the event was not sent to, with the reason.
    not_sent: Vec<NotSentView>,
}

/// Reason why an event was not sent to a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = NotSent)]
struct NotSentView {
    webhook_id: WebhookId,
    /// `not_subscribed`: the webhook was not subscribed to this event type. `disabled`: the webhook was disabled.
    /// `filtered`: the filter of the webhook excluded the event. `added_later`: the webhook was added after the event. `queued`: the event has many deliveries, and this one will
    /// be stored in a moment.
    #[schema(examples("not_subscribed"))]
    reason: &'static str,
    /// The part of the filter that excluded the event, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("sentiment is “negative”"))]
    condition: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventListParams {
    /// Only events of this type.
    #[serde(rename = "type")]
    event_type: Option<EventType>,
    /// Only events that were not sent to any webhook.
    #[serde(default)]
    unsent: bool,
    /// Only events received at or after this time.
    since: Option<Rfc3339>,
    /// Only events received before this time.
    until: Option<Rfc3339>,
    /// `next_cursor` of the previous page.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<EventCursor>>,
    /// Maximum number of events to return.
    #[param(inline)]
    limit: Option<Limit>,
}

/// List events
///
/// Newest first. If few events match the filters, a page can have fewer than `limit` entries, or none, and still have a
/// `next_cursor`. Continue until there is no `next_cursor`.
#[utoipa::path(
    get, path = "/events", operation_id = "listEvents", tag = EVENTS,
    security(("bearer" = [WEBHOOKS_READ])), params(EventListParams),
    responses((status = 200, description = "One page of events.", body = EventList), InvalidFields, CommonErrors)
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Query(params): Query<EventListParams>,
) -> Result<Json<EventList>, Problem> {
    let filter = EventFilter {
        event_type: params.event_type,
        unsent: params.unsent,
        since: params.since.map(|at| at.0),
        until: params.until.map(|at| at.0),
        before: params.cursor.map(|cursor| cursor.0),
        limit: params.limit.unwrap_or_default().0,
    };
    let page = api.accounts.of(&caller.account_id).list_events(&filter).await?;
    Ok(Json(EventList {
        events: page.events.into_iter().map(EventView::from).collect(),
        next_cursor: page.next.map(|cursor| cursor.to_string()),
    }))
}

/// Get an event
///
/// Returns the event with its deliveries, and for every other webhook the reason why the event was not sent to it.
#[utoipa::path(
    get, path = "/events/{id}", operation_id = "showEvent", tag = EVENTS,
    security(("bearer" = [WEBHOOKS_READ])), params(EventPath),
    responses((status = 200, description = "The event.", body = EventDetailView), NotFound, CommonErrors)
)]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(EventPath { id }): Path<EventPath>,
) -> Result<Json<EventDetailView>, Problem> {
    let detail = api.accounts.of(&caller.account_id).event(&id).await?;
    let detail = detail.ok_or_else(Problem::unknown_id::<EventPath>)?;
    let (mut delivery_log, mut not_sent) = (Vec::new(), Vec::new());
    for event_outcome in detail.outcomes {
        match event_outcome {
            EventOutcome::Delivery(delivery) => delivery_log.push(DeliveryView::from(*delivery)),
            EventOutcome::NotSent {
                webhook_id, reason, ..
            } => not_sent.push(NotSentView {
                webhook_id,
                reason: reason_code(&reason),
                condition: match reason {
                    NotSent::Filtered(condition) => Some(condition),
                    _ => None,
                },
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

fn reason_code(reason: &NotSent) -> &'static str {
    match reason {
        NotSent::NotSubscribed => "not_subscribed",
        NotSent::Disabled => "disabled",
        NotSent::Filtered(_) => "filtered",
        NotSent::Queued => "queued",
        NotSent::AddedLater(_) => "added_later",
    }
}

impl From<ReceivedEvent> for EventView {
    fn from(event: ReceivedEvent) -> Self {
        Self {
            id: event.id,
            event_type: event.event_type,
            timestamp: event.occurred_at.into(),
            received_at: event.received_at.into(),
            deliveries: event.deliveries,
        }
    }
}
