//! `GET /api/v1/events` and `…/{id}`: what was received, and what became of it.

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
            rfc3339::Rfc3339,
            path::Path,
            path_params::EventPath,
            problem::{CommonErrors, InvalidFields, NotFound},
            query::{Cursor, Limit, Query},
        },
    },
    auth::api_key::WEBHOOKS_READ,
    domain::{EventId, EventOutcome, EventType, NotSent, Place, ReceivedEvent, WebhookId},
    store::EventFilter,
};

/// An event that was received.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
struct EventView {
    id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    /// When it happened, as its publisher has it.
    timestamp: Rfc3339,
    received_at: Rfc3339,
    /// To how many webhooks it went when it was received.
    #[schema(examples(1))]
    deliveries: u32,
}

/// Events, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct EventList {
    events: Vec<EventView>,
    /// Where the next page begins. Not there: nothing older can match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("1795428000000.17"))]
    next_cursor: Option<String>,
}

/// An event, and what became of it at every webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = EventDetail)]
pub(crate) struct EventDetailView {
    #[serde(flatten)]
    event: EventView,
    /// What receivers get.
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
    delivery_log: Vec<DeliveryView>,
    /// The webhooks that it did not go to, and why.
    not_sent: Vec<NotSentView>,
}

/// Why an event did not go to a webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = NotSent)]
struct NotSentView {
    webhook_id: WebhookId,
    /// `not_subscribed`: it was not subscribed to events of this type. `disabled`: it was disabled. `added_later`: it was added
    /// after the event.
    #[schema(examples("not_subscribed"))]
    reason: &'static str,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those of this type.
    #[serde(rename = "type")]
    event_type: Option<EventType>,
    /// Only those that went to no webhook.
    #[serde(default)]
    unsent: bool,
    /// Only those received then or later.
    since: Option<Rfc3339>,
    /// Only those received earlier.
    until: Option<Rfc3339>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    cursor: Option<Cursor<Place>>,
    /// How many to answer at most.
    #[param(inline)]
    limit: Option<Limit>,
}

/// List events
///
/// Newest first. Filters that hardly anything matches may answer fewer than `limit`, or none, with a `next_cursor`:
/// go on until there is none.
#[utoipa::path(
    get, path = "/events", operation_id = "listEvents", tag = EVENTS,
    security(("bearer" = [WEBHOOKS_READ])), params(ListQuery),
    responses((status = 200, description = "A page of them.", body = EventList), InvalidFields, CommonErrors)
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Query(query): Query<ListQuery>,
) -> Result<Json<EventList>, Problem> {
    let filter = EventFilter {
        event_type: query.event_type,
        unsent: query.unsent,
        since: query.since.map(|moment| moment.0),
        until: query.until.map(|moment| moment.0),
        before: query.cursor.map(|cursor| cursor.0),
        limit: query.limit.unwrap_or_default().0,
    };
    let page = api.accounts.of(&caller.account_id).list_events(&filter).await?;
    Ok(Json(EventList {
        events: page.events.into_iter().map(EventView::from).collect(),
        next_cursor: page.next.map(|place| place.to_string()),
    }))
}

/// Show an event
///
/// With its deliveries, and for the other webhooks why they did not get it.
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
            timestamp: event.occurred_at.into(),
            received_at: event.received_at.into(),
            deliveries: event.deliveries,
        }
    }
}
