//! `POST /api/v1/webhooks/{id}/recover` and what came of it.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use serde::{Deserialize, Serialize};

use super::{Api, Problem, actor, body, query::Moment};
use crate::{
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{Origin, Recovery, RecoveryId, RecoveryScope, RecoveryState, WebhookId},
    store::{RecoveryRange, Started},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    scope: RecoveryScope,
    since: Moment,
}

#[derive(Serialize)]
struct RecoveryView {
    id: RecoveryId,
    scope: RecoveryScope,
    since: String,
    until: String,
    state: RecoveryState,
    progress: u64,
    recovered: u64,
    created_at: String,
    created_by: String,
}

#[derive(Serialize)]
struct RecoveryList {
    recoveries: Vec<RecoveryView>,
}

/// Answers the newest recoveries, of which the first is the one that was started.
pub(super) async fn start(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<impl Serialize>), Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let Wanted { scope, since } = body::parse(&body::read(body, body::LIMIT).await?)?;
    let (actor, id) = (actor(&key, origin), parse_id(&id)?);
    let wanted = RecoveryRange {
        scope,
        since: since.0,
        until: api.clock.now(),
    };
    match api.webhooks.recover(&actor, &id, wanted).await? {
        Started::Running => {}
        Started::AnotherRuns => {
            return Err(Problem::conflict("Another recovery of this webhook still runs."));
        }
        Started::Stopped => return Err(Problem::conflict("The webhook is stopped: resume it first.")),
        Started::NotFound => return Err(unknown()),
    }
    let list = list_of(&api, &actor.account_id, &id).await?;
    Ok((StatusCode::ACCEPTED, Json(list)))
}

pub(super) async fn list(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<impl Serialize>, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let id = parse_id(&id)?;
    let webhook = api.store.webhook(&key.account_id, &id).await?;
    webhook.ok_or_else(unknown)?;
    Ok(Json(list_of(&api, &key.account_id, &id).await?))
}

pub(super) async fn cancel(
    State(api): State<Api>,
    Path((id, recovery)): Path<(String, String)>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let id = parse_id(&id)?;
    let unknown = || Problem::not_found("There is no such recovery that runs.");
    let recovery = recovery.parse().map_err(|_| unknown())?;
    let cancelled = api
        .webhooks
        .cancel_recovery(&actor(&key, origin), &id, &recovery)
        .await?;
    if cancelled {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(unknown())
    }
}

async fn list_of(
    api: &Api,
    account: &crate::domain::AccountId,
    id: &WebhookId,
) -> Result<RecoveryList, Problem> {
    let recoveries = api.store.recoveries(account, id).await?;
    Ok(RecoveryList {
        recoveries: recoveries.into_iter().map(RecoveryView::from).collect(),
    })
}

fn parse_id(id: &str) -> Result<WebhookId, Problem> {
    id.parse().map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::not_found("There is no such webhook.")
}

impl From<Recovery> for RecoveryView {
    fn from(recovery: Recovery) -> Self {
        Self {
            progress: recovery.progress(),
            id: recovery.id,
            scope: recovery.scope,
            since: recovery.since.rfc3339(),
            until: recovery.until.rfc3339(),
            state: recovery.state,
            recovered: recovery.recovered,
            created_at: recovery.created_at.rfc3339(),
            created_by: recovery.created_by,
        }
    }
}
