//! `POST /api/v1/webhooks/{id}/pause` and `…/resume`.

use axum::{extract::State, response::Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{WebhookView, webhook_response};
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
    store::HeldAction,
};

/// Options for resuming a webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResumeOptions {
    #[serde(default)]
    held: HeldAction,
}

/// Pause a webhook
///
/// New events are held until the webhook is resumed.
#[utoipa::path(
    post, path = "/webhooks/{id}/pause", operation_id = "pauseWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath),
    responses(
        (status = 200, description = "The updated webhook.", body = WebhookView, headers(
            ("ETag" = String, description = "Version of the webhook."),
        )),
        NotFound, CommonErrors,
    )
)]
pub(crate) async fn pause(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
) -> Result<Response, Problem> {
    let webhook = api.webhooks.pause(&caller.actor(), &id).await?;
    Ok(webhook_response(webhook, None, caller.url_visibility()))
}

/// Resume a webhook
///
/// Resumes a paused or disabled webhook. Held deliveries are sent or dropped. Sending starts with a single delivery, to
/// check that the receiver works.
#[utoipa::path(
    post, path = "/webhooks/{id}/resume", operation_id = "resumeWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath), request_body = Option<ResumeOptions>,
    responses(
        (status = 200, description = "The updated webhook.", body = WebhookView, headers(
            ("ETag" = String, description = "Version of the webhook."),
        )),
        InvalidBody, NotFound, CommonErrors,
    )
)]
pub(crate) async fn resume(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Parsed(options): Parsed<ResumeOptions>,
) -> Result<Response, Problem> {
    let resumed = api.webhooks.resume(&caller.actor(), &id, options.held).await?;
    Ok(webhook_response(resumed, None, caller.url_visibility()))
}
