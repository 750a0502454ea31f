//! `POST /api/v1/webhooks/{id}/test`: sends a test event and returns the exchange.

use std::time::Duration;

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
            path::Path,
            path_params::WebhookPath,
            problem::{CommonErrors, InvalidBody, NotFound},
            rfc3339::Rfc3339,
        },
    },
    auth::api_key::WEBHOOKS_WRITE,
    delivery::{
        sender::{Certificate, Timings},
        tester::TestResult,
    },
    domain::{
        EventType, UrlVisibility,
        remedy::{explanation, remedy},
    },
};

/// Test event to send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTest {
    #[serde(rename = "type", default = "chat")]
    #[schema(default = "chat")]
    event_type: EventType,
}

fn chat() -> EventType {
    EventType::Chat
}

/// Result of a test event.
#[derive(Serialize, ToSchema)]
#[schema(as = Test)]
pub(crate) struct TestView {
    /// Whether the receiver responded with 2xx.
    #[schema(examples(true))]
    succeeded: bool,
    /// HTTP status, or a short reason why there was no response.
    #[schema(examples("200"))]
    result: String,
    #[schema(examples(200))]
    status_code: Option<u16>,
    /// What went wrong, in detail, if there was no response or its body could not be read.
    detail: Option<String>,
    /// How to fix the problem.
    remedy: Option<&'static str>,
    #[schema(examples("https://crm.example/hook"))]
    url: String,
    timings_ms: TimingsView,
    certificate: Option<CertificateView>,
    /// Headers that were sent, in full, including `webhook-signature`.
    request_headers: Vec<(String, String)>,
    request_body: String,
    /// Response headers, limited and redacted like those of an `Attempt`.
    response_headers: Vec<(String, String)>,
    /// The first 16 KiB of the response body.
    response_body: String,
    /// Whether the rest of the response body is missing: it was longer than 16 KiB, or could not be read to its end.
    response_truncated: bool,
}

/// Duration of each phase in milliseconds. `null` for phases that were not reached.
#[derive(Serialize, ToSchema)]
#[schema(as = Timings)]
struct TimingsView {
    #[schema(examples(1.2))]
    dns: Option<f64>,
    #[schema(examples(11.8))]
    connect: Option<f64>,
    #[schema(examples(24.1))]
    tls: Option<f64>,
    #[schema(examples(48.0))]
    first_byte: Option<f64>,
    #[schema(examples(86.3))]
    total: f64,
}

/// TLS certificate of the receiver.
#[derive(Serialize, ToSchema)]
#[schema(as = Certificate)]
struct CertificateView {
    #[schema(examples(json!(["example.com"])))]
    names: Vec<String>,
    issuer: String,
    not_before: Rfc3339,
    not_after: Rfc3339,
    #[schema(examples("TLSv1.3"))]
    protocol: String,
}

/// Send a test event
///
/// Sends a sample event at once, signed like any event, even if the webhook is paused or disabled. Test events are not
/// retried, do not appear in the delivery log, and do not affect the webhook’s status. Their `webhook-id` starts with
/// `test_`. The response is sent when the receiver has responded, or when the attempt times out.
///
/// **Limits.** 6 test events per minute and account.
#[utoipa::path(
    post, path = "/webhooks/{id}/test", operation_id = "testWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath), request_body = Option<NewTest>,
    responses(
        (status = 200, description = "The result, successful or not.", body = TestView),
        InvalidBody, NotFound, CommonErrors,
    )
)]
pub(crate) async fn send(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Parsed(new_test): Parsed<NewTest>,
) -> Result<Json<TestView>, Problem> {
    let test = api
        .webhooks
        .test(&caller.actor(), &id, new_test.event_type)
        .await?;
    Ok(Json(TestView::new(test, caller.url_visibility())))
}

impl TestView {
    fn new(test: TestResult, urls: UrlVisibility) -> Self {
        let (url, test) = test.shown(urls);
        let exchange = test.probe.exchange;
        Self {
            succeeded: exchange.outcome.succeeded(),
            result: exchange.outcome.to_string(),
            status_code: exchange.outcome.status_code(),
            remedy: remedy(exchange.outcome, exchange.detail.as_ref()),
            detail: explanation(exchange.outcome, exchange.detail.as_ref()),
            url,
            timings_ms: test.probe.timings.into(),
            certificate: test.probe.certificate.map(CertificateView::from),
            request_headers: test.request_headers,
            request_body: String::from_utf8_lossy(&test.body).into_owned(),
            response_headers: exchange.response_headers,
            response_body: String::from_utf8_lossy(&exchange.response_body).into_owned(),
            response_truncated: exchange.response_truncated,
        }
    }
}

impl From<Timings> for TimingsView {
    fn from(timings: Timings) -> Self {
        let millis = |duration: Duration| duration.as_secs_f64() * 1_000.0;
        Self {
            dns: timings.dns.map(millis),
            connect: timings.connect.map(millis),
            tls: timings.tls.map(millis),
            first_byte: timings.first_byte.map(millis),
            total: millis(timings.total),
        }
    }
}

impl From<Certificate> for CertificateView {
    fn from(certificate: Certificate) -> Self {
        Self {
            names: certificate.names,
            issuer: certificate.issuer,
            not_before: certificate.not_before.into(),
            not_after: certificate.not_after.into(),
            protocol: certificate.protocol,
        }
    }
}
