//! `/api/v1/webhooks`: what the dashboard does, for machines.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Api, Problem, actor, body};
use crate::{
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{DisabledReason, EventType, Origin, Secret, Timestamp, Webhook, WebhookId, WebhookStatus},
    store::{Held, WebhookFilter},
    webhooks::{DEFAULT_OVERLAP, Draft, MAX_OVERLAP, WebhookError},
};

/// A webhook as the API shows it.
#[derive(Serialize)]
struct WebhookView {
    id: WebhookId,
    name: String,
    url: String,
    events: Vec<EventType>,
    status: WebhookStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_reason: Option<DisabledReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<String>,
    created_at: String,
    updated_at: String,
    version: i64,
    /// Only in the answer to its creation or rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

#[derive(Serialize)]
struct WebhookList {
    webhooks: Vec<WebhookView>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct SecretView {
    secret: String,
}

#[derive(Deserialize)]
pub(super) struct ListQuery {
    cursor: Option<String>,
    search: Option<String>,
    event: Option<String>,
    status: Option<String>,
}

/// The fields that a call sets; one that it leaves out is missing when creating, and stays when changing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    url: Option<String>,
    name: Option<String>,
    secret: Option<Zeroizing<String>>,
    events: Option<Vec<String>>,
    version: Option<i64>,
}

/// How a webhook is to be resumed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resumption {
    #[serde(default)]
    held: Held,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotation {
    /// For how long the secret before signs too; 24 if left out.
    overlap_hours: Option<u64>,
}

pub(super) async fn list(
    State(api): State<Api>,
    headers: HeaderMap,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let page = match &query.cursor {
        None => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::invalid("cursor", "Use the next_cursor of an answer."))?,
    };
    let event_type = query.event.as_deref().map(str::parse).transpose();
    let status = query.status.as_deref().map(|text| {
        WebhookStatus::parse(text)
            .ok_or_else(|| Problem::invalid("status", "Use active, failing, paused or disabled."))
    });
    let filter = WebhookFilter {
        search: query.search.filter(|text| !text.is_empty()),
        event_type: event_type.map_err(|error| Problem::invalid("event", format!("{error}")))?,
        status: status.transpose()?,
        page,
    };
    let found = api.store.list_webhooks(&key.account_id, &filter).await?;
    let shown = u64::from(page + 1) * u64::from(WebhookFilter::PAGE_SIZE);
    let next_cursor = (found.matching > shown).then(|| (page + 1).to_string());
    let webhooks = found
        .webhooks
        .into_iter()
        .map(|webhook| WebhookView::new(webhook, None))
        .collect();
    Ok(Json(WebhookList {
        webhooks,
        total: found.matching,
        next_cursor,
    })
    .into_response())
}

pub(super) async fn create(
    State(api): State<Api>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let fields: Fields = body::parse(&body::read(body, body::LIMIT).await?)?;
    let draft = Draft {
        url: fields.url.unwrap_or_default(),
        name: fields.name.unwrap_or_default(),
        secret: fields.secret.unwrap_or_default(),
        events: fields.events.unwrap_or_default(),
    };
    let (webhook, secret) = api.webhooks.add(&actor(&key, origin), &draft).await?;
    let location = format!("/api/v1/webhooks/{}", webhook.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        answer(webhook, Some(&secret)),
    )
        .into_response())
}

pub(super) async fn show(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_READ).await?;
    let webhook = api
        .store
        .webhook(&key.account_id, &parse_id(&id)?)
        .await?
        .ok_or(WebhookError::NotFound)?;
    Ok(answer(webhook, None))
}

pub(super) async fn update(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let id = parse_id(&id)?;
    let fields: Fields = body::parse(&body::read(body, body::LIMIT).await?)?;
    let wanted = match fields.version {
        Some(version) => Some(version),
        None => if_match(&headers)?,
    };
    // Without a version the fields that were left out come from what is there, so it must not change in between.
    let mut tries = 0;
    loop {
        tries += 1;
        let current = api
            .store
            .webhook(&key.account_id, &id)
            .await?
            .ok_or(WebhookError::NotFound)?;
        let draft = Draft {
            url: fields.url.clone().unwrap_or_else(|| current.url.to_string()),
            name: fields.name.clone().unwrap_or_else(|| current.name.to_string()),
            secret: fields.secret.clone().unwrap_or_default(),
            events: fields
                .events
                .clone()
                .unwrap_or_else(|| current.events.iter().map(|e| e.to_string()).collect()),
        };
        let based_on = Some(wanted.unwrap_or(current.version));
        match api
            .webhooks
            .edit(&actor(&key, origin), &id, &draft, based_on)
            .await
        {
            Err(WebhookError::Stale(_)) if wanted.is_none() && tries < 5 => {}
            edited => return Ok(answer(edited?, None)),
        }
    }
}

pub(super) async fn delete(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    api.webhooks.delete(&actor(&key, origin), &parse_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn secret(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<Json<impl Serialize>, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let secret = api.webhooks.reveal(&actor(&key, origin), &parse_id(&id)?).await?;
    Ok(Json(SecretView {
        secret: secret.reveal().to_owned(),
    }))
}

pub(super) async fn rotate_secret(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let rotation: Rotation = body::parse(&body::read(body, body::LIMIT).await?)?;
    let overlap = match rotation.overlap_hours {
        None => DEFAULT_OVERLAP,
        Some(hours) if hours <= MAX_OVERLAP.as_secs() / 3_600 => Duration::from_secs(hours * 3_600),
        Some(_) => return Err(Problem::invalid("overlap_hours", "Use 0 to 168 hours.")),
    };
    let (webhook, secret) = api
        .webhooks
        .rotate(&actor(&key, origin), &parse_id(&id)?, overlap)
        .await?;
    Ok(answer(webhook, Some(&secret)))
}

pub(super) async fn pause(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    Ok(answer(
        api.webhooks.pause(&actor(&key, origin), &parse_id(&id)?).await?,
        None,
    ))
}

pub(super) async fn resume(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let resumption: Resumption = body::parse(&body::read(body, body::LIMIT).await?)?;
    let (actor, id) = (actor(&key, origin), parse_id(&id)?);
    let resumed = api.webhooks.resume(&actor, &id, resumption.held).await?;
    Ok(answer(resumed, None))
}

/// With its version as the entity tag.
fn answer(webhook: Webhook, secret: Option<&Secret>) -> Response {
    let tag = format!("\"{}\"", webhook.version);
    ([(header::ETAG, tag)], Json(WebhookView::new(webhook, secret))).into_response()
}

/// What is no id is nobody's id.
fn parse_id(text: &str) -> Result<WebhookId, Problem> {
    text.parse().map_err(|_| WebhookError::NotFound.into())
}

/// The version that `If-Match` names; none for `*` or without the header.
fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text.trim_matches('"').parse().ok();
    version
        .map(Some)
        .ok_or_else(|| Problem::invalid("If-Match", "Use the ETag of the webhook as you know it."))
}

impl WebhookView {
    fn new(webhook: Webhook, secret: Option<&Secret>) -> Self {
        Self {
            id: webhook.id,
            name: webhook.name.to_string(),
            url: webhook.url.to_string(),
            events: webhook.events.iter().collect(),
            status: webhook.status,
            disabled_reason: webhook.disabled_reason,
            failing_since: webhook.failing_since.map(Timestamp::rfc3339),
            created_at: webhook.created_at.rfc3339(),
            updated_at: webhook.updated_at.rfc3339(),
            version: webhook.version,
            secret: secret.map(|secret| secret.reveal().to_owned()),
        }
    }
}
