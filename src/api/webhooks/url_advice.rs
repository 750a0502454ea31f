//! `POST /api/v1/webhooks/url-advice`: the URL check of the dashboard's webhook form.

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::{
        Api, WEBHOOKS,
        http::{
            Problem,
            body::Parsed,
            caller::{Caller, Write},
            problem::{CommonErrors, InvalidBody, InvalidFields},
        },
    },
    auth::api_key::WEBHOOKS_WRITE,
    domain::EndpointUrl,
};

/// A URL to check.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct UrlCheck {
    #[schema(max_length = 2048, examples("https://crm.example/hook"))]
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UrlAdvice)]
pub(crate) struct AdviceView {
    /// Problems with the URL, one sentence each. Empty if none were found.
    #[schema(examples(json!(["example.invalid does not resolve to any address. Check the spelling."])))]
    advice: Vec<String>,
}

/// Check a URL
///
/// Checks a URL before you use it for a webhook. Returns 422 if it would be rejected, and advice if it is not https,
/// does not resolve, or resolves to an address that is blocked. Sends no request to the URL. Uses `POST` because a URL
/// can contain secrets.
#[utoipa::path(
    post, path = "/webhooks/url-advice", operation_id = "checkUrl", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), request_body = UrlCheck,
    responses(
        (status = 200, description = "The URL can be used for a webhook.", body = AdviceView),
        InvalidBody, InvalidFields, CommonErrors,
    )
)]
pub(crate) async fn check(
    State(api): State<Api>,
    _: Caller<Write>,
    Parsed(check): Parsed<UrlCheck>,
) -> Result<Json<AdviceView>, Problem> {
    let url = EndpointUrl::parse(&check.url, api.webhooks.transport);
    let url = url.map_err(|error| Problem::invalid("url", error.to_string()))?;
    let advice = api.webhooks.guard.advise(&url).await;
    Ok(Json(AdviceView {
        advice: advice.iter().map(ToString::to_string).collect(),
    }))
}
