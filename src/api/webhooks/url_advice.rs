//! What the form says below a URL while it is typed, for machines.

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

/// A URL that a webhook might have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Candidate {
    #[schema(max_length = 2048, examples("https://crm.example/hook"))]
    url: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UrlAdvice)]
pub(crate) struct AdviceView {
    /// What is unwise about it, a sentence each. Empty: nothing that can be seen from here.
    #[schema(examples(json!(["example.invalid does not resolve to any address: check its spelling."])))]
    advice: Vec<String>,
}

/// Judge a URL
///
/// Before a webhook has it: whether it would be refused (422), and what is unwise about it: no https, a name that does
/// not resolve, an address that will not be called. Nothing is sent to it. By `POST`, since a URL may hold secrets.
#[utoipa::path(
    post, path = "/webhooks/url-advice", operation_id = "judgeUrl", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), request_body = Candidate,
    responses(
        (status = 200, description = "A webhook may have it.", body = AdviceView),
        InvalidBody, InvalidFields, CommonErrors,
    )
)]
pub(crate) async fn judge(
    State(api): State<Api>,
    _: Caller<Write>,
    Parsed(candidate): Parsed<Candidate>,
) -> Result<Json<AdviceView>, Problem> {
    let url = EndpointUrl::parse(&candidate.url, api.webhooks.transport);
    let url = url.map_err(|error| Problem::invalid("url", error.to_string()))?;
    let advice = api.webhooks.guard.advise(&url).await;
    Ok(Json(AdviceView {
        advice: advice.iter().map(ToString::to_string).collect(),
    }))
}
