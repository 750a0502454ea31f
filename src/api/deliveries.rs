//! `/api/v1/deliveries`: what became of the events.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Api, Problem, actor, query::Moment};
use crate::{
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{
        Attempt, Delivery, DeliveryId, DeliveryStatus, EventId, EventType, Origin, Timestamp, WebhookId,
    },
    store::{DeliveryFilter, Resent},
};

/// Deliveries in one answer.
const PAGE: u32 = 100;

#[derive(Serialize)]
pub(super) struct DeliveryView {
    id: DeliveryId,
    webhook_id: WebhookId,
    event_id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    status: DeliveryStatus,
    attempts: u32,
    created_at: String,
    updated_at: String,
    next_attempt_at: Option<String>,
    last_result: Option<String>,
}

#[derive(Serialize)]
struct DeliveryList {
    deliveries: Vec<DeliveryView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<DeliveryId>,
}

#[derive(Serialize)]
struct DeliveryDetailView {
    #[serde(flatten)]
    delivery: DeliveryView,
    body: Option<Box<RawValue>>,
    attempt_log: Vec<AttemptView>,
}

#[derive(Serialize)]
struct AttemptView {
    number: u32,
    started_at: String,
    duration_ms: u128,
    result: String,
    status_code: Option<u16>,
    detail: Option<String>,
    url: String,
    request_headers: Vec<(String, String)>,
    response_headers: Vec<(String, String)>,
    response_body: String,
    response_truncated: bool,
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    webhook: Option<WebhookId>,
    status: Option<DeliveryStatus>,
    #[serde(rename = "type")]
    event_type: Option<EventType>,
    event: Option<EventId>,
    since: Option<Moment>,
    until: Option<Moment>,
    cursor: Option<DeliveryId>,
}

pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<impl Serialize>, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let Query(query) = query.map_err(|error| Problem::malformed(error.body_text()))?;
    let filter = DeliveryFilter {
        webhook_id: query.webhook,
        status: query.status,
        event_type: query.event_type,
        event_id: query.event,
        since: query.since.map(|moment| moment.0),
        until: query.until.map(|moment| moment.0),
        before: query.cursor,
        limit: PAGE,
    };
    let page = api.store.list_deliveries(&key.account_id, &filter).await?;
    let deliveries = page.deliveries.into_iter().map(DeliveryView::from).collect();
    Ok(Json(DeliveryList {
        deliveries,
        next_cursor: page.next,
    }))
}

pub(super) async fn show(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<impl Serialize>, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let unknown = || Problem::not_found("There is no such delivery.");
    let id = id.parse().map_err(|_| unknown())?;
    let detail = api
        .store
        .delivery(&key.account_id, &id)
        .await?
        .ok_or_else(unknown)?;
    Ok(Json(DeliveryDetailView {
        delivery: detail.delivery.into(),
        body: serde_json::from_slice(&detail.payload).ok(),
        attempt_log: detail.attempts.into_iter().map(AttemptView::from).collect(),
    }))
}

/// Answers the delivery as it is now: pending, or held if its webhook is paused.
pub(super) async fn resend(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<impl Serialize>), Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let unknown = || Problem::not_found("There is no such delivery.");
    let id: DeliveryId = id.parse().map_err(|_| unknown())?;
    let resent = api.webhooks.resend(&actor(&key, origin), &id).await?;
    match resent.ok_or_else(unknown)? {
        Resent::Due | Resent::UnderWay | Resent::Held => {}
        Resent::Disabled => return Err(Problem::conflict("The webhook is disabled: resume it first.")),
        Resent::Deleted => return Err(Problem::conflict("The webhook was deleted.")),
    }
    let detail = api.store.delivery(&key.account_id, &id).await?;
    let delivery = detail.ok_or_else(unknown)?.delivery;
    Ok((StatusCode::ACCEPTED, Json(DeliveryView::from(delivery))))
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            event_id: delivery.event_id,
            event_type: delivery.event_type,
            status: delivery.status,
            attempts: delivery.attempts,
            created_at: delivery.created_at.rfc3339(),
            updated_at: delivery.updated_at.rfc3339(),
            next_attempt_at: delivery.next_attempt_at.map(Timestamp::rfc3339),
            last_result: delivery.last_result,
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at.rfc3339(),
            duration_ms: attempt.duration.as_millis(),
            result: attempt.outcome.to_string(),
            status_code: attempt.outcome.status_code(),
            detail: attempt.detail,
            url: attempt.url,
            request_headers: attempt.request_headers,
            response_headers: attempt.response_headers,
            response_body: String::from_utf8_lossy(&attempt.response_body).into_owned(),
            response_truncated: attempt.response_truncated,
        }
    }
}
