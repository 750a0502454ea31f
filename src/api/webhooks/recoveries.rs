//! `/api/v1/webhooks/{id}/recover` and `…/recoveries`: resend events that a webhook missed.

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    api::{
        Api, RECOVERIES,
        http::{
            Problem,
            body::Parsed,
            caller::{Caller, Read, Write},
            path::Path,
            path_params::{RecoveryPath, WebhookPath},
            problem::{CommonErrors, Conflict, InvalidBody, InvalidFields, NotFound},
            query::{Limit, Query},
            rfc3339::Rfc3339,
        },
    },
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{EventId, EventType, Recovery, RecoveryId, RecoveryScope, RecoveryState, Timestamp, WebhookId},
    store::{Recoverable, RecoveryRange, RecoveryStart, split_page},
};

/// Events to recover.
#[derive(Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRecovery)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecoveryParams {
    /// Which events to recover.
    scope: RecoveryScope,
    /// Only events received at or after this time.
    since: Rfc3339,
}

/// A recovery of missed events.
#[derive(Serialize, ToSchema)]
#[schema(as = Recovery)]
pub(crate) struct RecoveryView {
    id: RecoveryId,
    webhook_id: WebhookId,
    scope: RecoveryScope,
    since: Rfc3339,
    /// Only events received before this time.
    until: Rfc3339,
    state: RecoveryState,
    /// Progress through the time range, in percent.
    #[schema(maximum = 100, examples(40))]
    progress: u64,
    /// Number of deliveries scheduled so far.
    #[schema(examples(120))]
    recovered: u64,
    created_at: Rfc3339,
    /// Email address of the user, or name of the API key.
    #[schema(examples("API key “deploy”"))]
    created_by: String,
}

/// Recoveries, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryList {
    recoveries: Vec<RecoveryView>,
    /// Cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<RecoveryId>,
}

/// Events that a recovery would send.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryPreview)]
pub(crate) struct PreviewView {
    /// Number of events found.
    #[schema(examples(120))]
    count: u64,
    /// Whether there may be more events than counted.
    #[schema(examples(false))]
    more: bool,
    /// The first of these events, oldest first.
    first: Vec<RecoverableView>,
}

/// An event that a recovery would send.
#[derive(Serialize, ToSchema)]
#[schema(as = Recoverable)]
struct RecoverableView {
    event_id: EventId,
    #[serde(rename = "type")]
    event_type: EventType,
    received_at: Rfc3339,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RecoveryListParams {
    /// `next_cursor` of the previous page.
    cursor: Option<RecoveryId>,
    /// Maximum number of recoveries to return.
    #[param(inline)]
    limit: Option<Limit>,
}

/// Preview a recovery
///
/// Returns the events that a recovery would send, without sending them.
#[utoipa::path(
    get, path = "/webhooks/{id}/recover", operation_id = "previewRecovery", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath, RecoveryParams),
    responses((status = 200, description = "The preview.", body = PreviewView), InvalidFields, NotFound, CommonErrors)
)]
pub(crate) async fn preview(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Query(params): Query<RecoveryParams>,
) -> Result<Json<PreviewView>, Problem> {
    let webhook = api.accounts.of(&caller.account_id).webhook(&id).await?;
    webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
    let range = params.until(api.clock.now());
    let preview = api.webhooks.preview_recovery(&caller.actor(), &id, range).await?;
    Ok(Json(PreviewView {
        count: preview.count,
        more: preview.more,
        first: preview.first.into_iter().map(RecoverableView::from).collect(),
    }))
}

/// Start a recovery
///
/// Sends missed events in the background, oldest first, at the pace of the receiver. A webhook can have one running
/// recovery, and none while it is paused or disabled.
#[utoipa::path(
    post, path = "/webhooks/{id}/recover", operation_id = "startRecovery", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath), request_body = RecoveryParams,
    responses(
        (status = 202, description = "The recovery was started.", body = RecoveryView, headers(
            ("Location" = String, description = "Path of the recovery, to check its progress."),
        )),
        InvalidBody, NotFound, Conflict, CommonErrors,
    )
)]
pub(crate) async fn start(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Parsed(params): Parsed<RecoveryParams>,
) -> Result<Response, Problem> {
    let range = params.until(api.clock.now());
    let (recovery, started) = api.webhooks.recover(&caller.actor(), &id, range).await?;
    match started {
        RecoveryStart::Started => {}
        RecoveryStart::AlreadyRunning => {
            return Err(Problem::conflict("Another recovery of this webhook is running."));
        }
        RecoveryStart::WebhookInactive => {
            return Err(Problem::conflict(
                "The webhook is paused or disabled. Resume it first.",
            ));
        }
        RecoveryStart::NotFound => return Err(Problem::unknown_id::<WebhookPath>()),
    }
    let location = format!("/api/v1/webhooks/{id}/recoveries/{recovery}");
    let stored = api.accounts.of(&caller.account_id).recovery(&id, &recovery).await;
    let stored = stored.map_err(|error| Problem::stored_but_unreadable(&error))?;
    let stored = stored.ok_or_else(Problem::unknown_id::<RecoveryPath>)?;
    let view = Json(RecoveryView::from(stored));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], view).into_response())
}

/// List recoveries of a webhook
///
/// Newest first.
#[utoipa::path(
    get, path = "/webhooks/{id}/recoveries", operation_id = "listRecoveries", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath, RecoveryListParams),
    responses(
        (status = 200, description = "One page of recoveries.", body = RecoveryList),
        InvalidFields, NotFound, CommonErrors,
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Query(params): Query<RecoveryListParams>,
) -> Result<Json<RecoveryList>, Problem> {
    let webhook = api.accounts.of(&caller.account_id).webhook(&id).await?;
    webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
    let limit = params.limit.unwrap_or_default().0;
    // One extra row shows whether there is another page.
    let before = params.cursor.as_ref();
    let found = api
        .accounts
        .of(&caller.account_id)
        .recoveries(&id, before, limit + 1)
        .await;
    let (recoveries, has_more) = split_page(found?, limit);
    let last = recoveries.last().filter(|_| has_more);
    Ok(Json(RecoveryList {
        next_cursor: last.map(|recovery| recovery.id.clone()),
        recoveries: recoveries.into_iter().map(RecoveryView::from).collect(),
    }))
}

/// Get a recovery
///
/// Returns the recovery with its state and progress.
#[utoipa::path(
    get, path = "/webhooks/{id}/recoveries/{recovery}", operation_id = "showRecovery", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(RecoveryPath),
    responses((status = 200, description = "The recovery.", body = RecoveryView), NotFound, CommonErrors)
)]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(path): Path<RecoveryPath>,
) -> Result<Json<RecoveryView>, Problem> {
    Ok(Json(find(&api, &caller, &path).await?.into()))
}

/// Cancel a recovery
///
/// Stops the recovery. Deliveries that it already scheduled are still sent.
#[utoipa::path(
    post, path = "/webhooks/{id}/recoveries/{recovery}/cancel", operation_id = "cancelRecovery", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_WRITE])), params(RecoveryPath),
    responses((status = 204, description = "The recovery was cancelled."), NotFound, Conflict, CommonErrors)
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(path): Path<RecoveryPath>,
) -> Result<StatusCode, Problem> {
    let RecoveryPath { id, recovery } = &path;
    if api
        .webhooks
        .cancel_recovery(&caller.actor(), id, recovery)
        .await?
    {
        return Ok(StatusCode::NO_CONTENT);
    }
    find(&api, &caller, &path).await?;
    Err(Problem::conflict("This recovery has already ended."))
}

async fn find<S>(api: &Api, caller: &Caller<S>, path: &RecoveryPath) -> Result<Recovery, Problem> {
    let RecoveryPath { id, recovery } = path;
    let found = api.accounts.of(&caller.account_id).recovery(id, recovery).await?;
    found.ok_or_else(Problem::unknown_id::<RecoveryPath>)
}

impl RecoveryParams {
    fn until(self, now: Timestamp) -> RecoveryRange {
        RecoveryRange {
            scope: self.scope,
            since: self.since.0.min(now),
            until: now,
        }
    }
}

impl From<Recovery> for RecoveryView {
    fn from(recovery: Recovery) -> Self {
        Self {
            progress: recovery.progress(),
            id: recovery.id,
            webhook_id: recovery.webhook_id,
            scope: recovery.scope,
            since: recovery.since.into(),
            until: recovery.until.into(),
            state: recovery.state,
            recovered: recovery.recovered,
            created_at: recovery.created_at.into(),
            created_by: recovery.created_by.to_string(),
        }
    }
}

impl From<Recoverable> for RecoverableView {
    fn from(event: Recoverable) -> Self {
        Self {
            event_id: event.event_id,
            event_type: event.event_type,
            received_at: event.received_at.into(),
        }
    }
}
