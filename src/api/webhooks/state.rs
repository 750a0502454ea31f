//! Whether a webhook is sent to.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{WebhookView, answer};
use crate::{
    api::{
        Api, WEBHOOKS,
        http::{
            Problem,
            body::Parsed,
            caller::{Caller, Write},
            path::Path,
            path_params::WebhookPath,
            problem::{CommonErrors, InvalidBody, NotFound},
        },
    },
    auth::api_key::WEBHOOKS_WRITE,
    store::Held,
};

/// How a webhook is to be resumed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resumption {
    #[serde(default)]
    held: Held,
}

/// Pause a webhook
///
/// What it wants is held until it is resumed.
#[utoipa::path(
    post, path = "/webhooks/{id}/pause", operation_id = "pauseWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath),
    responses(
        (status = 200, description = "The webhook as it is now.", body = WebhookView, headers(
            ("ETag" = String, description = "Its version."),
        )),
        NotFound, CommonErrors,
    )
)]
pub(crate) async fn pause(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
) -> Result<Response, Problem> {
    Ok(answer(api.webhooks.pause(&caller.actor(), &id).await?, None))
}

/// Resume a webhook
///
/// Whatever stopped it. What was held is sent, one delivery at first to see whether the receiver is well, or dropped.
#[utoipa::path(
    post, path = "/webhooks/{id}/resume", operation_id = "resumeWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath), request_body = Option<Resumption>,
    responses(
        (status = 200, description = "The webhook as it is now.", body = WebhookView, headers(
            ("ETag" = String, description = "Its version."),
        )),
        InvalidBody, NotFound, CommonErrors,
    )
)]
pub(crate) async fn resume(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Parsed(resumption): Parsed<Resumption>,
) -> Result<Response, Problem> {
    let resumed = api.webhooks.resume(&caller.actor(), &id, resumption.held).await?;
    Ok(answer(resumed, None))
}
