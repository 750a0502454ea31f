//! `/api/v1/webhooks`: what the dashboard does, for machines.

pub(super) mod recoveries;
pub(super) mod secrets;
pub(super) mod state;
pub(super) mod statistics;
pub(super) mod test_events;
pub(super) mod url_advice;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use zeroize::Zeroizing;

use super::{
    Api, WEBHOOKS,
    http::{
        Problem,
        body::{Parsed, whole},
        caller::{Caller, Read, Write},
        rfc3339::Rfc3339,
        path::Path,
        path_params::WebhookPath,
        problem::{CommonErrors, InvalidBody, InvalidFields, Conflict, ConflictOrLimit, PreconditionFailed, NotFound},
        query::{Limit, Query},
        schema::wanted_events,
    },
};
use crate::{
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{DisabledReason, EventType, Secret, Webhook, WebhookId, WebhookStatus, webhook::LastAttempt},
    store::WebhookFilter,
    webhooks::{Draft, WebhookError},
};

/// A destination of events.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    id: WebhookId,
    /// Unique in the account.
    #[schema(examples("Orders → CRM"))]
    name: String,
    #[schema(examples("https://crm.example/hook"))]
    url: String,
    /// The types of the events that it wants.
    events: Vec<EventType>,
    status: WebhookStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_reason: Option<DisabledReason>,
    /// Since when no attempt has succeeded, while that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failing_since: Option<Rfc3339>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_attempt: Option<LastAttemptView>,
    /// Until when the secret before the last rotation signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_secret_until: Option<Rfc3339>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    /// The email of who saved it last, or the name of the API key.
    #[schema(examples("API key “deploy”"))]
    updated_by: String,
    /// Counts the saves; also the `ETag`.
    #[schema(examples(1))]
    version: i64,
    /// Only in the answer to its creation or rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))]
    secret: Option<String>,
}

/// The newest attempt at any of its deliveries.
#[derive(Serialize, ToSchema)]
#[schema(as = LastAttempt)]
struct LastAttemptView {
    at: Rfc3339,
    /// The receiver’s status, or in a few words why there was no answer.
    #[schema(examples("200"))]
    result: String,
    #[schema(examples(true))]
    succeeded: bool,
}

/// Webhooks, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookList {
    webhooks: Vec<WebhookView>,
    /// How many match, on all pages.
    #[schema(examples(1))]
    total: u64,
    /// Where the next page begins. Not there: this is the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<WebhookId>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Only those whose name or URL has this in it, in any case.
    search: Option<String>,
    /// Only those that want events of this type.
    event: Option<EventType>,
    /// Only those with this status.
    status: Option<WebhookStatus>,
    /// The `next_cursor` of the page before.
    cursor: Option<WebhookId>,
    /// How many to answer at most.
    #[param(inline)]
    limit: Option<Limit>,
}

/// A webhook to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    /// Starts with `https://`, and leads to a public address.
    #[schema(
        required,
        nullable = false,
        max_length = 2048,
        examples("https://crm.example/hook")
    )]
    url: Option<String>,
    /// Unique in the account.
    #[schema(
        required,
        nullable = false,
        min_length = 1,
        max_length = 100,
        examples("Orders → CRM")
    )]
    name: Option<String>,
    /// `whsec_` and the base64 of 24 to 64 bytes, or a text of your own of 24 to 256 bytes. Left out, one is made.
    #[schema(value_type = Option<String>, min_length = 24, max_length = 256)]
    secret: Option<Zeroizing<String>>,
    #[schema(schema_with = wanted_events, required)]
    events: Option<Vec<String>>,
}

/// The fields to change; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookChange {
    /// Starts with `https://`, and leads to a public address.
    #[schema(max_length = 2048, examples("https://crm.example/hook"))]
    url: Option<String>,
    /// Unique in the account.
    #[schema(min_length = 1, max_length = 100, examples("Orders → CRM"))]
    name: Option<String>,
    /// Replaces the secret at once; `rotate-secret` lets the old one sign for a while, too.
    #[schema(value_type = Option<String>, min_length = 24, max_length = 256)]
    secret: Option<Zeroizing<String>>,
    #[schema(schema_with = wanted_events)]
    events: Option<Vec<String>>,
    /// The version that this change is based on. Alternative to the `If-Match` header.
    #[serde(default, deserialize_with = "whole")]
    #[schema(examples(1))]
    version: Option<i64>,
}

/// What a change may be based on.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `if_match` reads")]
pub(super) struct IfMatchHeader {
    /// The `ETag` of the webhook as you know it. If somebody has saved it since, nothing is changed, and the answer is 412.
    #[param(
        rename = "If-Match",
        nullable = false,
        pattern = r#"^(\*|(W/)?"[0-9]{1,18}")$"#
    )]
    if_match: Option<String>,
}

/// List webhooks
///
/// Newest first.
#[utoipa::path(
    get, path = "/webhooks", operation_id = "listWebhooks", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_READ])), params(ListQuery),
    responses((status = 200, description = "A page of them.", body = WebhookList), InvalidFields, CommonErrors)
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Query(query): Query<ListQuery>,
) -> Result<Json<WebhookList>, Problem> {
    let limit = query.limit.unwrap_or_default().0;
    let filter = WebhookFilter {
        search: query.search.filter(|text| !text.is_empty()),
        event_type: query.event,
        status: query.status,
        page: 0,
        before: query.cursor,
        // One more, to see whether there is another page.
        limit: limit + 1,
    };
    let mut found = api.accounts.of(&caller.account_id).list_webhooks(&filter).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.webhooks.len() > limit;
    found.webhooks.truncate(limit);
    let last = found.webhooks.last().filter(|_| more);
    Ok(Json(WebhookList {
        next_cursor: last.map(|webhook| webhook.id.clone()),
        webhooks: found
            .webhooks
            .into_iter()
            .map(|webhook| WebhookView::new(webhook, None))
            .collect(),
        total: found.matching,
    }))
}

/// Add a webhook
///
/// From then on it gets every new event that it wants. Its secret is in this answer, and afterwards only in that of
/// `GET …/secret`.
///
/// **Limits.** 1,000 webhooks in an account, unless `CALEIDA_MAX_WEBHOOKS` says otherwise.
#[utoipa::path(
    post, path = "/webhooks", operation_id = "addWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), request_body = NewWebhook,
    responses(
        (status = 201, description = "It is added.", body = WebhookView, headers(
            ("Location" = String, description = "Its path."),
            ("ETag" = String, description = "Its version."),
        )),
        InvalidBody, InvalidFields, ConflictOrLimit, CommonErrors,
    )
)]
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller<Write>,
    Parsed(new): Parsed<NewWebhook>,
) -> Result<Response, Problem> {
    let draft = Draft {
        url: new.url.unwrap_or_default(),
        name: new.name.unwrap_or_default(),
        secret: new.secret.unwrap_or_default(),
        events: new.events.unwrap_or_default(),
    };
    let (webhook, secret) = api.webhooks.add(&caller.actor(), &draft).await?;
    let location = format!("/api/v1/webhooks/{}", webhook.id);
    let answer = answer(webhook, Some(&secret));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], answer).into_response())
}

/// Show a webhook
#[utoipa::path(
    get, path = "/webhooks/{id}", operation_id = "showWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath),
    responses(
        (status = 200, description = "The webhook.", body = WebhookView, headers(
            ("ETag" = String, description = "Its version, for `If-Match`."),
        )),
        NotFound, CommonErrors,
    )
)]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller<Read>,
    Path(WebhookPath { id }): Path<WebhookPath>,
) -> Result<Response, Problem> {
    let webhook = api.accounts.of(&caller.account_id).webhook(&id).await?;
    Ok(answer(webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?, None))
}

/// Change a webhook
///
/// Only what is in the body. With `If-Match`, or `version` in the body, it is changed only if nobody has saved it since;
/// without either, what comes last stays. When this is answered, every process goes by it.
#[utoipa::path(
    patch, path = "/webhooks/{id}", operation_id = "changeWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath, IfMatchHeader), request_body = WebhookChange,
    responses(
        (status = 200, description = "The webhook as it is now.", body = WebhookView, headers(
            ("ETag" = String, description = "Its new version."),
        )),
        InvalidBody, InvalidFields, NotFound, Conflict, PreconditionFailed, CommonErrors,
    )
)]
pub(super) async fn update(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    headers: HeaderMap,
    Parsed(change): Parsed<WebhookChange>,
) -> Result<Response, Problem> {
    let wanted = match (change.version, if_match(&headers)?) {
        (Some(body), Some(header)) if body != header => {
            return Err(Problem::invalid(
                "version",
                "It is not the one of If-Match: send one of them.",
            ));
        }
        (body, header) => body.or(header),
    };
    // Without a version the fields that were left out come from what is there, so it must not change in between.
    let mut tries = 0;
    loop {
        tries += 1;
        let current = api.accounts.of(&caller.account_id).webhook(&id).await?;
        let current = current.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
        let draft = Draft {
            url: change.url.clone().unwrap_or_else(|| current.url.to_string()),
            name: change.name.clone().unwrap_or_else(|| current.name.to_string()),
            secret: change.secret.clone().unwrap_or_default(),
            events: change
                .events
                .clone()
                .unwrap_or_else(|| current.events.iter().map(|e| e.to_string()).collect()),
        };
        let based_on = Some(wanted.unwrap_or(current.version));
        match api.webhooks.edit(&caller.actor(), &id, &draft, based_on).await {
            Err(WebhookError::Stale(_)) if wanted.is_none() && tries < 5 => {}
            edited => return Ok(answer(edited?, None)),
        }
    }
}

/// Delete a webhook
///
/// For good. What is still to be sent is cancelled, and what is under way is cut off: when this is answered, no process
/// calls its URL for it any more. With `If-Match`, only if nobody has saved it since.
#[utoipa::path(
    delete, path = "/webhooks/{id}", operation_id = "deleteWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath, IfMatchHeader),
    responses((status = 204, description = "It is deleted."), InvalidFields, NotFound, PreconditionFailed, CommonErrors)
)]
pub(super) async fn delete(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let based_on = if_match(&headers)?;
    api.webhooks.delete(&caller.actor(), &id, based_on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// With its version as the entity tag.
pub(super) fn answer(webhook: Webhook, secret: Option<&Secret>) -> Response {
    let tag = format!("\"{}\"", webhook.version);
    ([(header::ETAG, tag)], Json(WebhookView::new(webhook, secret))).into_response()
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
    // A proxy that compresses makes a tag weak; the version is what it was.
    let text = text.strip_prefix("W/").unwrap_or(text);
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    version
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
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
            failing_since: webhook.failing_since.map(Rfc3339),
            last_attempt: webhook.last_attempt.map(LastAttemptView::from),
            previous_secret_until: webhook.previous_secret_until.map(Rfc3339),
            created_at: webhook.created_at.into(),
            updated_at: webhook.updated_at.into(),
            updated_by: webhook.updated_by.to_string(),
            version: webhook.version,
            secret: secret.map(|secret| secret.reveal().to_owned()),
        }
    }
}

impl From<LastAttempt> for LastAttemptView {
    fn from(attempt: LastAttempt) -> Self {
        Self {
            at: attempt.at.into(),
            result: attempt.outcome.to_string(),
            succeeded: attempt.outcome.succeeded(),
        }
    }
}
