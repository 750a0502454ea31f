//! `/api/v1/webhooks/{id}/secret` and `…/rotate-secret`.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{WebhookView, webhook_response};
use crate::{
    api::{
        Api, WEBHOOKS,
        http::{
            Problem,
            body::{Parsed, integer},
            caller::{Caller, Write},
            path::Path,
            path_params::WebhookPath,
            problem::{CommonErrors, InvalidBody, InvalidFields, NotFound},
        },
    },
    auth::api_key::WEBHOOKS_WRITE,
    webhooks::{DEFAULT_OVERLAP, MAX_OVERLAP},
};

#[derive(Serialize, ToSchema)]
#[schema(as = Secret)]
struct SecretView {
    /// Secret, as it was set or generated.
    #[schema(examples("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))]
    secret: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateOptions {
    /// How long the previous secret also signs, in hours. Defaults to 24.
    #[serde(default, deserialize_with = "integer")]
    #[schema(maximum = 168, examples(24))]
    overlap_hours: Option<u64>,
}

/// Get a webhook’s secret
///
/// Each request is recorded in the audit log.
#[utoipa::path(
    get, path = "/webhooks/{id}/secret", operation_id = "showSecret", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath),
    responses((status = 200, description = "The secret.", body = SecretView), NotFound, CommonErrors)
)]
pub(crate) async fn show(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
) -> Result<Response, Problem> {
    let secret = api.webhooks.reveal(&caller.actor(), &id).await?;
    let view = SecretView {
        secret: secret.reveal().to_owned(),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

/// Rotate a webhook’s secret
///
/// Generates a new secret. The previous secret also signs for a while, so that the receiver can switch without
/// rejecting events.
#[utoipa::path(
    post, path = "/webhooks/{id}/rotate-secret", operation_id = "rotateSecret", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath), request_body = Option<RotateOptions>,
    responses(
        (status = 200, description = "The webhook with its new secret.", body = WebhookView, headers(
            ("ETag" = String, description = "New version of the webhook."),
        )),
        InvalidBody, InvalidFields, NotFound, CommonErrors,
    )
)]
pub(crate) async fn rotate(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Parsed(options): Parsed<RotateOptions>,
) -> Result<Response, Problem> {
    let overlap = match options.overlap_hours {
        None => DEFAULT_OVERLAP,
        Some(hours) if hours <= MAX_OVERLAP.as_secs() / 3_600 => Duration::from_secs(hours * 3_600),
        Some(_) => return Err(Problem::invalid("overlap_hours", "Use 0 to 168 hours.")),
    };
    let (webhook, secret) = api.webhooks.rotate(&caller.actor(), &id, overlap).await?;
    Ok(webhook_response(webhook, Some(&secret), caller.url_visibility()))
}
