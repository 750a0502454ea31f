//! Sending what a webhook has missed, and what came of it.

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
            rfc3339::Rfc3339,
            path::Path,
            path_params::{RecoveryPath, WebhookPath},
            problem::{CommonErrors, InvalidBody, InvalidFields, Conflict, NotFound},
            query::{Limit, Query},
        },
    },
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{EventId, EventType, Recovery, RecoveryId, RecoveryScope, RecoveryState, Timestamp, WebhookId},
    store::{Recoverable, RecoveryRange, Started},
};

/// What to send.
#[derive(Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRecovery)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Which of them.
    scope: RecoveryScope,
    /// Events received then or later.
    since: Rfc3339,
}

/// A run through what a webhook has missed.
#[derive(Serialize, ToSchema)]
#[schema(as = Recovery)]
pub(crate) struct RecoveryView {
    id: RecoveryId,
    webhook_id: WebhookId,
    scope: RecoveryScope,
    since: Rfc3339,
    /// Events received earlier than this.
    until: Rfc3339,
    state: RecoveryState,
    /// How much of the time between is behind it, in per cent.
    #[schema(maximum = 100, examples(40))]
    progress: u64,
    /// How many deliveries it has made due.
    #[schema(examples(120))]
    recovered: u64,
    created_at: Rfc3339,
    /// An email, or the name of an API key.
    #[schema(examples("API key “deploy”"))]
    created_by: String,
}

/// Recoveries, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryList {
    recoveries: Vec<RecoveryView>,
    /// Where the next page begins. Not there: this is the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<RecoveryId>,
}

/// What a recovery would send.
#[derive(Serialize, ToSchema)]
#[schema(as = RecoveryPreview)]
pub(crate) struct PreviewView {
    /// How many were found.
    #[schema(examples(120))]
    count: u64,
    /// Whether there may be more than were looked for.
    #[schema(examples(false))]
    more: bool,
    /// The first few, oldest first.
    first: Vec<RecoverableView>,
}

/// An event that would be sent.
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
pub(crate) struct ListQuery {
    /// The `next_cursor` of the page before.
    cursor: Option<RecoveryId>,
    /// How many to answer at most.
    #[param(inline)]
    limit: Option<Limit>,
}

/// Preview a recovery
///
/// What it would send, without sending it.
#[utoipa::path(
    get, path = "/webhooks/{id}/recover", operation_id = "previewRecovery", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath, Wanted),
    responses((status = 200, description = "What was found.", body = PreviewView), InvalidFields, NotFound, CommonErrors)
)]
pub(crate) async fn preview(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<PreviewView>, Problem> {
    let webhook = api.accounts.of(&caller.account_id).webhook(&id).await?;
    webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
    let wanted = wanted.until(api.clock.now());
    let preview = api
        .webhooks
        .preview_recovery(&caller.actor(), &id, wanted)
        .await?;
    Ok(Json(PreviewView {
        count: preview.count,
        more: preview.more,
        first: preview.first.into_iter().map(RecoverableView::from).collect(),
    }))
}

/// Recover what a webhook has missed
///
/// In the background, oldest first, and as fast as the receiver takes it. One at a time for each webhook, and none while
/// it is paused or disabled.
#[utoipa::path(
    post, path = "/webhooks/{id}/recover", operation_id = "startRecovery", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath), request_body = Wanted,
    responses(
        (status = 202, description = "It has begun.", body = RecoveryView, headers(
            ("Location" = String, description = "Its path, to see how far it is."),
        )),
        InvalidBody, NotFound, Conflict, CommonErrors,
    )
)]
pub(crate) async fn start(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Parsed(wanted): Parsed<Wanted>,
) -> Result<Response, Problem> {
    let wanted = wanted.until(api.clock.now());
    let (recovery, started) = api.webhooks.recover(&caller.actor(), &id, wanted).await?;
    match started {
        Started::Running => {}
        Started::AnotherRuns => {
            return Err(Problem::conflict("Another recovery of this webhook still runs."));
        }
        Started::Stopped => return Err(Problem::conflict("The webhook is stopped: resume it first.")),
        Started::NotFound => return Err(Problem::unknown_id::<WebhookPath>()),
    }
    let location = format!("/api/v1/webhooks/{id}/recoveries/{recovery}");
    let begun = api.accounts.of(&caller.account_id).recovery(&id, &recovery).await;
    let begun = begun.map_err(|error| Problem::stored_but_unreadable(&error))?;
    let begun = begun.ok_or_else(Problem::unknown_id::<RecoveryPath>)?;
    let view = Json(RecoveryView::from(begun));
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location)], view).into_response())
}

/// List a webhook’s recoveries
///
/// Newest first.
#[utoipa::path(
    get, path = "/webhooks/{id}/recoveries", operation_id = "listRecoveries", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath, ListQuery),
    responses((status = 200, description = "A page of them.", body = RecoveryList), InvalidFields, NotFound, CommonErrors)
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Query(query): Query<ListQuery>,
) -> Result<Json<RecoveryList>, Problem> {
    let webhook = api.accounts.of(&caller.account_id).webhook(&id).await?;
    webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
    let limit = query.limit.unwrap_or_default().0;
    // One more, to see whether there is another page.
    let before = query.cursor.as_ref();
    let found = api
        .accounts
        .of(&caller.account_id)
        .recoveries(&id, before, limit + 1)
        .await;
    let mut recoveries = found?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = recoveries.len() > limit;
    recoveries.truncate(limit);
    let last = recoveries.last().filter(|_| more);
    Ok(Json(RecoveryList {
        next_cursor: last.map(|recovery| recovery.id.clone()),
        recoveries: recoveries.into_iter().map(RecoveryView::from).collect(),
    }))
}

/// Show a recovery
///
/// And how far it has come.
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
/// It stops where it is; what it has made due until then is sent all the same.
#[utoipa::path(
    post, path = "/webhooks/{id}/recoveries/{recovery}/cancel", operation_id = "cancelRecovery", tag = RECOVERIES,
    security(("bearer" = [WEBHOOKS_WRITE])), params(RecoveryPath),
    responses((status = 204, description = "It is cancelled."), NotFound, Conflict, CommonErrors)
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
    Err(Problem::conflict("This recovery has ended."))
}

async fn find<S>(api: &Api, caller: &Caller<S>, path: &RecoveryPath) -> Result<Recovery, Problem> {
    let RecoveryPath { id, recovery } = path;
    let found = api.accounts.of(&caller.account_id).recovery(id, recovery).await?;
    found.ok_or_else(Problem::unknown_id::<RecoveryPath>)
}

impl Wanted {
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
