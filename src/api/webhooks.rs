//! `/api/v1/webhooks`: create, read, update and delete webhooks. Submodules hold the other operations on a webhook.

mod body;
pub(super) mod preview_filter;
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

use self::body::{NewWebhook, WebhookBody};
use super::{
    Api, WEBHOOKS,
    http::{
        Problem,
        body::Parsed,
        caller::{Caller, Read, Write},
        path::Path,
        path_params::WebhookPath,
        problem::{
            CommonErrors, Conflict, ConflictOrLimit, InvalidBody, InvalidFields, NotFound, PreconditionFailed,
        },
        query::{Limit, Query},
        rfc3339::Rfc3339,
    },
};
use crate::{
    auth::api_key::{WEBHOOKS_READ, WEBHOOKS_WRITE},
    domain::{
        DisabledReason, EventType, Secret, UrlVisibility, Webhook, WebhookId, WebhookOptions, WebhookStatus,
        webhook::LastAttempt,
    },
    store::{WebhookFilter, split_page},
    webhooks::{WebhookDraft, WebhookError},
};

/// The newest attempts since the webhook was added or resumed, at most 20.
#[derive(Serialize, ToSchema)]
#[schema(as = RecentAttempts)]
struct RecentAttemptsView {
    #[schema(examples(20))]
    total: u32,
    #[schema(examples(3))]
    failed: u32,
}

/// A destination for events.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(super) struct WebhookView {
    id: WebhookId,
    /// Name, unique in the account. A line with a visible character and without invisible ones. Stored in Unicode
    /// normalization form C.
    #[schema(examples("Orders → CRM"))]
    name: String,
    /// Keys without `webhooks:write` get a shortened URL, such as `https://crm.example/hooks/…`, because URLs can contain
    /// tokens.
    #[schema(examples("https://crm.example/hook"))]
    url: String,
    /// Event types that the webhook is subscribed to.
    events: Vec<EventType>,
    #[serde(flatten)]
    options: WebhookOptions,
    status: WebhookStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    disabled_reason: Option<DisabledReason>,
    /// Time since which every attempt has failed. Absent unless the webhook is failing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failing_since: Option<Rfc3339>,
    recent_attempts: RecentAttemptsView,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_attempt: Option<LastAttemptView>,
    /// Time until which the previous secret also signs, after a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    previous_secret_until: Option<Rfc3339>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    /// Email address of the user who last saved the webhook, or name of the API key.
    #[schema(examples("API key “deploy”"))]
    updated_by: String,
    /// Version, increased by every save. Also the `ETag`.
    #[schema(examples(1))]
    version: i64,
    /// Secret. Present only in the response that creates the webhook or rotates its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))]
    secret: Option<String>,
}

/// The latest attempt for the webhook.
#[derive(Serialize, ToSchema)]
#[schema(as = LastAttempt)]
struct LastAttemptView {
    at: Rfc3339,
    /// HTTP status, or a short reason why there was no response.
    #[schema(examples("200"))]
    result: String,
    #[schema(examples(true))]
    succeeded: bool,
}

/// Webhooks, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct WebhookList {
    webhooks: Vec<WebhookView>,
    /// Number of matches on all pages.
    #[schema(examples(1))]
    total: u64,
    /// Cursor of the next page. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<WebhookId>,
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WebhookListParams {
    /// Only webhooks whose name or URL contains this text, ignoring case. For keys without `webhooks:write`, only the
    /// host of the URL is searched.
    search: Option<String>,
    /// Only webhooks that are subscribed to this event type.
    event: Option<EventType>,
    /// Only webhooks with this status.
    status: Option<WebhookStatus>,
    /// `next_cursor` of the previous page.
    cursor: Option<WebhookId>,
    /// Maximum number of webhooks to return.
    #[param(inline)]
    limit: Option<Limit>,
}

/// The `If-Match` request header.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "documents the header that `if_match` parses")]
pub(super) struct IfMatchHeader {
    /// `ETag` of the version that you read. If the webhook was changed since, the response is 412.
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
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookListParams),
    responses((status = 200, description = "One page of webhooks.", body = WebhookList), InvalidFields, CommonErrors)
)]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Read>,
    Query(params): Query<WebhookListParams>,
) -> Result<Json<WebhookList>, Problem> {
    let limit = params.limit.unwrap_or_default().0;
    let filter = WebhookFilter {
        search: params.search.filter(|text| !text.is_empty()),
        urls: caller.url_visibility(),
        event_type: params.event,
        status: params.status,
        page: 0,
        before: params.cursor,
        // One extra row shows whether there is another page.
        limit: limit + 1,
    };
    let found = api.accounts.of(&caller.account_id).list_webhooks(&filter).await?;
    let (webhooks, has_more) = split_page(found.webhooks, limit);
    let last = webhooks.last().filter(|_| has_more);
    Ok(Json(WebhookList {
        next_cursor: last.map(|webhook| webhook.id.clone()),
        webhooks: webhooks
            .into_iter()
            .map(|webhook| WebhookView::new(webhook, None, caller.url_visibility()))
            .collect(),
        total: found.matching,
    }))
}

/// Create a webhook
///
/// The webhook gets every new event that it is subscribed to. The secret is in this response; later, only
/// `GET …/secret` returns it.
///
/// **Limits.** 1,000 webhooks per account, unless `CALEIDA_MAX_WEBHOOKS` is set.
#[utoipa::path(
    post, path = "/webhooks", operation_id = "addWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), request_body = NewWebhook,
    responses(
        (status = 201, description = "The new webhook.", body = WebhookView, headers(
            ("Location" = String, description = "Path of the webhook."),
            ("ETag" = String, description = "Version of the webhook."),
        )),
        InvalidBody, InvalidFields, ConflictOrLimit, CommonErrors,
    )
)]
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller<Write>,
    Parsed(new): Parsed<NewWebhook>,
) -> Result<Response, Problem> {
    let NewWebhook(body) = new;
    if body.version.is_some() {
        return Err(Problem::invalid(
            "version",
            "Remove the version: a new webhook has none.",
        ));
    }
    let mut draft = WebhookDraft::default();
    body.apply(&mut draft);
    let (webhook, secret) = api.webhooks.add(&caller.actor(), &draft).await?;
    let location = format!("/api/v1/webhooks/{}", webhook.id);
    let response = webhook_response(webhook, Some(&secret), caller.url_visibility());
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], response).into_response())
}

/// Get a webhook
#[utoipa::path(
    get, path = "/webhooks/{id}", operation_id = "showWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_READ])), params(WebhookPath),
    responses(
        (status = 200, description = "The webhook.", body = WebhookView, headers(
            ("ETag" = String, description = "Version of the webhook, for `If-Match`."),
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
    Ok(webhook_response(
        webhook.ok_or_else(Problem::unknown_id::<WebhookPath>)?,
        None,
        caller.url_visibility(),
    ))
}

/// Update a webhook
///
/// Changes only the fields in the body. With `If-Match`, or `version` in the body, the update fails with 412 if the
/// webhook was changed since that version. Without either, the last write wins. When the response arrives, every
/// process uses the new settings.
#[utoipa::path(
    patch, path = "/webhooks/{id}", operation_id = "changeWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath, IfMatchHeader), request_body = WebhookBody,
    responses(
        (status = 200, description = "The updated webhook.", body = WebhookView, headers(
            ("ETag" = String, description = "New version of the webhook."),
        )),
        InvalidBody, InvalidFields, NotFound, Conflict, PreconditionFailed, CommonErrors,
    )
)]
pub(super) async fn update(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    headers: HeaderMap,
    Parsed(change): Parsed<WebhookBody>,
) -> Result<Response, Problem> {
    let expected_version = match (change.version, if_match(&headers)?) {
        (Some(body), Some(header)) if body != header => {
            return Err(Problem::invalid(
                "version",
                "This version differs from If-Match. Send only one of them.",
            ));
        }
        (body, header) => body.or(header),
    };
    // Without an expected version, omitted fields are copied from the current version, so a concurrent change is
    // retried.
    let mut tries = 0;
    loop {
        tries += 1;
        let current = api.accounts.of(&caller.account_id).webhook(&id).await?;
        let current = current.ok_or_else(Problem::unknown_id::<WebhookPath>)?;
        let mut draft = WebhookDraft::saved(&current.settings);
        change.clone().apply(&mut draft);
        let based_on = Some(expected_version.unwrap_or(current.version));
        match api.webhooks.edit(&caller.actor(), &id, &draft, based_on).await {
            Err(WebhookError::Stale(_)) if expected_version.is_none() && tries < 5 => {}
            edited => return Ok(webhook_response(edited?, None, caller.url_visibility())),
        }
    }
}

/// Delete a webhook
///
/// Deletes the webhook permanently. Pending deliveries are cancelled and attempts in progress are aborted: when the
/// response arrives, no process calls the URL for this webhook any more. With `If-Match`, the deletion fails with 412
/// if the webhook was changed since that version.
#[utoipa::path(
    delete, path = "/webhooks/{id}", operation_id = "deleteWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath, IfMatchHeader),
    responses(
        (status = 204, description = "The webhook was deleted."),
        InvalidFields, NotFound, PreconditionFailed, CommonErrors,
    )
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

/// Builds a webhook's response, with its version as the entity tag.
pub(super) fn webhook_response(webhook: Webhook, secret: Option<&Secret>, urls: UrlVisibility) -> Response {
    let etag = format!("\"{}\"", webhook.version);
    (
        [(header::ETAG, etag)],
        Json(WebhookView::new(webhook, secret, urls)),
    )
        .into_response()
}

/// Returns the version in `If-Match`, or `None` for `*` and without the header.
fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    // Proxies that compress responses make entity tags weak.
    let text = text.strip_prefix("W/").unwrap_or(text);
    let version = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    version
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .map(Some)
        .ok_or_else(|| Problem::invalid("If-Match", "Use the ETag of the webhook, such as \"3\"."))
}

impl WebhookView {
    fn new(webhook: Webhook, secret: Option<&Secret>, urls: UrlVisibility) -> Self {
        Self {
            id: webhook.id,
            name: webhook.settings.name.to_string(),
            url: webhook.settings.url.shown(urls),
            events: webhook.settings.events.iter().collect(),
            options: webhook.settings.options,
            status: webhook.status,
            disabled_reason: webhook.disabled_reason,
            failing_since: webhook.failing.map(|series| Rfc3339(series.since)),
            recent_attempts: RecentAttemptsView {
                total: webhook.recent_attempts.total,
                failed: webhook.recent_attempts.failed,
            },
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
