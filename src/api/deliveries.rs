//! `/api/v1/deliveries`: list, show and resend deliveries.

use axum::{Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    Api, DELIVERIES,
    http::{
        Problem,
        caller::{Caller, Read, Write},
        path::Path,
        path_params::DeliveryPath,
        problem::{CommonErrors, Conflict, InvalidFields, NotFound},
        query::{Limit, Query},
        rfc3339::Rfc3339,
    },
};
use crate::{
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{
        Attempt, Delivery, DeliveryId, DeliveryStatus, EventId, EventType, UrlVisibility, WebhookId,
        remedy::explanation,
    },
    store::{DeliveryFilter, ResendOutcome},
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
    /// Number of completed attempts.
    #[schema(examples(1))]
    attempts: u32,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    /// When the next attempt is due. `null` if none is scheduled, or if one is in progress.
    next_attempt_at: Option<Rfc3339>,
    /// Result of the latest attempt: the HTTP status, or a short reason why there was no response.
    #[schema(examples("200"))]
    last_result: Option<String>,
}

/// Deliveries, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct DeliveryList {
    deliveries: Vec<DeliveryView>,
    /// Cursor of the next page. Absent if there are no older matches.
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
    /// Request body, byte for byte the same in every attempt.
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
    /// Attempts, oldest first.
    attempt_log: Vec<AttemptView>,
}

/// One HTTP request of a delivery, with its response.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
struct AttemptView {
    /// Number of the attempt, starting at 1.
    #[schema(examples(1))]
    number: u32,
    started_at: Rfc3339,
    #[schema(examples(87))]
    duration_ms: u64,
    /// HTTP status, or a short reason why there was no response.
    #[schema(examples("200"))]
    result: String,
    #[schema(examples(200))]
    status_code: Option<u16>,
    /// What went wrong, in detail, if there was no response or its body could not be read.
    detail: Option<String>,
    /// URL that was called. The webhook’s URL may have changed since. Keys without `webhooks:write` get a shortened URL,
    /// and `…` instead of its hidden parts in the response.
    #[schema(examples("https://crm.example/hook"))]
    url: String,
    /// Headers that were sent, in full, including `webhook-signature`.
    request_headers: Vec<(String, String)>,
    /// The first 64 response headers. Values over 1 KiB are cut. Values of cookie and authorization headers, and of
    /// headers whose name contains `token`, `secret`, `password`, `api-key`, `apikey` or `session`, are `[redacted]`.
    response_headers: Vec<(String, String)>,
    /// The first 16 KiB of the response body.
    response_body: String,
    /// Whether the rest of the response body is missing: it was longer than 16 KiB, or could not be read to its end.
    response_truncated: bool,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveryListParams {
    /// Only deliveries to this webhook.
    webhook: Option<WebhookId>,
    /// Only deliveries with this status.
    status: Option<DeliveryStatus>,
    /// Only deliveries of events of this type.
    #[serde(rename = "type")]
    event_type: Option<EventType>,
    /// Only deliveries of this event.
    event: Option<EventId>,
    /// Only deliveries created at or after this time.
    since: Option<Rfc3339>,
    /// Only deliveries created before this time.
    until: Option<Rfc3339>,
    /// `next_cursor` of the previous page.
    cursor: Option<DeliveryId>,
    /// Maximum number of deliveries to return.
    #[param(inline)]
    limit: Option<Limit>,
}

/// List deliveries
///
/// Newest first. If few deliveries match the filters, a page can have fewer than `limit` entries, or none, and still
/// have a `next_cursor`. Continue until there is no `next_cursor`.
#[utoipa::path(
    get, path = "/deliveries", operation_id = "listDeliveries", tag = DELIVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(DeliveryListParams),
    responses((status = 200, description = "One page of deliveries.", body = DeliveryList), InvalidFields, CommonErrors)
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Query(params): Query<DeliveryListParams>,
) -> Result<Json<DeliveryList>, Problem> {
    let filter = DeliveryFilter {
        webhook_id: params.webhook,
        status: params.status,
        event_type: params.event_type,
        event_id: params.event,
        since: params.since.map(|at| at.0),
        until: params.until.map(|at| at.0),
        before: params.cursor,
        limit: params.limit.unwrap_or_default().0,
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

/// Get a delivery
///
/// Returns the delivery with all attempts: each request and its response.
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
        attempt_log: detail
            .attempts
            .into_iter()
            .map(|attempt| AttemptView::new(attempt, caller.url_visibility()))
            .collect(),
    }))
}

/// Resend a delivery
///
/// Works in any status. The delivery becomes due at once and starts a new retry schedule, with the same `webhook-id`
/// and body. It is held if the webhook is paused, and sent even if a filter that was added later excludes its event. Returns 409 if the webhook is disabled or deleted.
#[utoipa::path(
    post, path = "/deliveries/{id}/resend", operation_id = "resendDelivery", tag = DELIVERIES,
    security(("bearer" = [WEBHOOKS_WRITE])), params(DeliveryPath),
    responses(
        (status = 202, description = "The updated delivery, `pending` or `held`.", body = DeliveryView),
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
        ResendOutcome::Due | ResendOutcome::InProgress | ResendOutcome::Held => {}
        ResendOutcome::Disabled => {
            return Err(Problem::conflict("The webhook is disabled. Resume it first."));
        }
        ResendOutcome::Deleted => return Err(Problem::conflict("The webhook was deleted.")),
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

impl AttemptView {
    fn new(attempt: Attempt, urls: UrlVisibility) -> Self {
        let (url, attempt) = attempt.shown(urls);
        Self {
            number: attempt.number,
            started_at: attempt.started_at.into(),
            duration_ms: u64::try_from(attempt.duration.as_millis()).unwrap_or(u64::MAX),
            result: attempt.outcome.to_string(),
            status_code: attempt.outcome.status_code(),
            detail: explanation(attempt.outcome, attempt.detail.as_ref()),
            url,
            request_headers: attempt.request_headers,
            response_headers: attempt.response_headers,
            response_body: String::from_utf8_lossy(&attempt.response_body).into_owned(),
            response_truncated: attempt.response_truncated,
        }
    }
}
