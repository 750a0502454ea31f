//! `/api/v1/deliveries`: what became of the events.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    Api, DELIVERIES,
    http::{
        Problem,
        caller::{Caller, Read, Write},
        rfc3339::Rfc3339,
        path::Path,
        path_params::DeliveryPath,
        problem::{CommonErrors, InvalidFields, Conflict, NotFound},
        query::{Limit, Query},
    },
};
use crate::{
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{
        Attempt, Delivery, DeliveryId, DeliveryStatus, EventId, EventType, WebhookId, remedy::explanation,
    },
    store::{DeliveryFilter, Resent},
};

/// One event for one webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub(super) struct DeliveryView {
    id: DeliveryId,
    webhook_id: WebhookId,
    event_id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    status: DeliveryStatus,
    /// How many attempts have ended.
    #[schema(examples(1))]
    attempts: u32,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    /// When the next attempt is due, while there is one to come and none is under way.
    next_attempt_at: Option<Rfc3339>,
    /// The end of the newest attempt: the receiver’s status, or in a few words why there was no answer.
    #[schema(examples("200"))]
    last_result: Option<String>,
}

/// Deliveries, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryList {
    deliveries: Vec<DeliveryView>,
    /// Where the next page begins. Not there: nothing older can match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<DeliveryId>,
}

/// A delivery with its attempts.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryDetail)]
pub(super) struct DeliveryDetailView {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// What is sent, byte for byte the same at every attempt.
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
    /// Oldest first.
    attempt_log: Vec<AttemptView>,
}

/// One HTTP request of a delivery. Signatures and cookies are redacted.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
struct AttemptView {
    /// 1 for the first.
    #[schema(examples(1))]
    number: u32,
    started_at: Rfc3339,
    #[schema(examples(87))]
    duration_ms: u64,
    /// The receiver’s status, or in a few words why there was no answer.
    #[schema(examples("200"))]
    result: String,
    #[schema(examples(200))]
    status_code: Option<u16>,
    /// What went wrong, precisely, if no answer came.
    detail: Option<String>,
    /// The URL that was called: the webhook’s may have changed since.
    #[schema(examples("https://crm.example/hook"))]
    url: String,
    request_headers: Vec<(String, String)>,
    response_headers: Vec<(String, String)>,
    /// The first 16 KiB of it.
    response_body: String,
    /// Whether there was more of it.
    response_truncated: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only those of this webhook.
    webhook: Option<WebhookId>,
    /// Only those with this status.
    status: Option<DeliveryStatus>,
    /// Only those of events of this type.
    #[serde(rename = "type")]
    event_type: Option<EventType>,
    /// Only those of this event.
    event: Option<EventId>,
    /// Only those made then or later.
    since: Option<Rfc3339>,
    /// Only those made earlier.
    until: Option<Rfc3339>,
    /// The `next_cursor` of the page before.
    cursor: Option<DeliveryId>,
    /// How many to answer at most.
    #[param(inline)]
    limit: Option<Limit>,
}

/// List deliveries
///
/// Newest first. Filters that hardly anything matches may answer fewer than `limit`, or none, with a `next_cursor`:
/// go on until there is none.
#[utoipa::path(
    get, path = "/deliveries", operation_id = "listDeliveries", tag = DELIVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(ListQuery),
    responses((status = 200, description = "A page of them.", body = DeliveryList), InvalidFields, CommonErrors)
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Query(query): Query<ListQuery>,
) -> Result<Json<DeliveryList>, Problem> {
    let filter = DeliveryFilter {
        webhook_id: query.webhook,
        status: query.status,
        event_type: query.event_type,
        event_id: query.event,
        since: query.since.map(|moment| moment.0),
        until: query.until.map(|moment| moment.0),
        before: query.cursor,
        limit: query.limit.unwrap_or_default().0,
    };
    let page = api
        .accounts
        .of(&caller.account_id)
        .list_deliveries(&filter)
        .await?;
    let deliveries = page.deliveries.into_iter().map(DeliveryView::from).collect();
    Ok(Json(DeliveryList {
        deliveries,
        next_cursor: page.next,
    }))
}

/// Show a delivery
///
/// With each of its attempts: what was sent, and what came back.
#[utoipa::path(
    get, path = "/deliveries/{id}", operation_id = "showDelivery", tag = DELIVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(DeliveryPath),
    responses((status = 200, description = "The delivery.", body = DeliveryDetailView), NotFound, CommonErrors)
)]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(DeliveryPath { id }): Path<DeliveryPath>,
) -> Result<Json<DeliveryDetailView>, Problem> {
    let detail = api.accounts.of(&caller.account_id).delivery(&id).await?;
    let detail = detail.ok_or_else(Problem::unknown_id::<DeliveryPath>)?;
    Ok(Json(DeliveryDetailView {
        delivery: detail.delivery.into(),
        body: serde_json::from_slice(&detail.payload).ok(),
        attempt_log: detail.attempts.into_iter().map(AttemptView::from).collect(),
    }))
}

/// Send a delivery again
///
/// Whatever became of it: it is due at once, with the whole schedule before it, and the same `webhook-id` and body.
/// If the webhook is paused it is held, if it is disabled or deleted the answer is 409.
#[utoipa::path(
    post, path = "/deliveries/{id}/resend", operation_id = "resendDelivery", tag = DELIVERIES,
    security(("bearer" = [WEBHOOKS_WRITE])), params(DeliveryPath),
    responses(
        (status = 202, description = "The delivery as it is now: `pending`, or `held`.", body = DeliveryView),
        NotFound, Conflict, CommonErrors,
    )
)]
pub(super) async fn resend(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(DeliveryPath { id }): Path<DeliveryPath>,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    let resent = api.webhooks.resend(&caller.actor(), &id).await?;
    match resent.ok_or_else(Problem::unknown_id::<DeliveryPath>)? {
        Resent::Due | Resent::UnderWay | Resent::Held => {}
        Resent::Disabled => return Err(Problem::conflict("The webhook is disabled: resume it first.")),
        Resent::Deleted => return Err(Problem::conflict("The webhook was deleted.")),
    }
    let detail = api.accounts.of(&caller.account_id).delivery(&id).await;
    let detail = detail.map_err(|error| Problem::stored_but_unreadable(&error))?;
    let delivery = detail.ok_or_else(Problem::unknown_id::<DeliveryPath>)?.delivery;
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
            created_at: delivery.created_at.into(),
            updated_at: delivery.updated_at.into(),
            next_attempt_at: delivery.next_attempt_at.map(Rfc3339),
            last_result: delivery.last_outcome.map(|outcome| outcome.to_string()),
        }
    }
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            number: attempt.number,
            started_at: attempt.started_at.into(),
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            result: attempt.outcome.to_string(),
            status_code: attempt.outcome.status_code(),
            detail: explanation(attempt.outcome, attempt.detail.as_ref()),
            url: attempt.url,
            request_headers: attempt.request_headers,
            response_headers: attempt.response_headers,
            response_body: String::from_utf8_lossy(&attempt.response_body).into_owned(),
            response_truncated: attempt.response_truncated,
        }
    }
}
