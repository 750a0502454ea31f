//! `POST /api/v1/webhooks/{id}/test`: what happens to an event that is sent right now.

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
            rfc3339::Rfc3339,
            path::Path,
            path_params::WebhookPath,
            problem::{CommonErrors, InvalidBody, NotFound},
        },
    },
    auth::api_key::WEBHOOKS_WRITE,
    delivery::{
        sender::{Certificate, Timings},
        tester::Test,
    },
    domain::{
        EventType,
        remedy::{explanation, remedy},
    },
};

/// What to send.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTest)]
pub(crate) struct Wanted {
    #[serde(rename = "type", default = "chat")]
    #[schema(default = "chat")]
    event_type: EventType,
}

fn chat() -> EventType {
    EventType::Chat
}

/// What came of a test.
#[derive(Serialize, ToSchema)]
#[schema(as = Test)]
pub(crate) struct TestView {
    /// Whether the receiver answered 2xx.
    #[schema(examples(true))]
    succeeded: bool,
    /// The receiver’s status, or in a few words why there was no answer.
    #[schema(examples("200"))]
    result: String,
    #[schema(examples(200))]
    status_code: Option<u16>,
    /// What went wrong, precisely, if no answer came.
    detail: Option<String>,
    /// What to do about it.
    remedy: Option<&'static str>,
    #[schema(examples("https://crm.example/hook"))]
    url: String,
    timings_ms: TimingsView,
    certificate: Option<CertificateView>,
    request_headers: Vec<(String, String)>,
    request_body: String,
    response_headers: Vec<(String, String)>,
    /// The first 16 KiB of it.
    response_body: String,
    /// Whether there was more of it.
    response_truncated: bool,
}

/// How long each step took, in milliseconds, as far as it was made.
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

/// The receiver’s certificate.
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
/// A sample goes out at once, signed like any event, also if the webhook is paused or disabled. It is not retried, not
/// on record, and says nothing about the webhook’s health. Its `webhook-id` starts with `test_`. The answer comes when
/// the receiver has answered, or the time for it is over.
///
/// **Limits.** 6 tests a minute and account.
#[utoipa::path(
    post, path = "/webhooks/{id}/test", operation_id = "testWebhook", tag = WEBHOOKS,
    security(("bearer" = [WEBHOOKS_WRITE])), params(WebhookPath), request_body = Option<Wanted>,
    responses(
        (status = 200, description = "All that was seen, whether it succeeded or not.", body = TestView),
        InvalidBody, NotFound, CommonErrors,
    )
)]
pub(crate) async fn send(
    State(api): State<Api>,
    caller: Caller<Write>,
    Path(WebhookPath { id }): Path<WebhookPath>,
    Parsed(wanted): Parsed<Wanted>,
) -> Result<Json<TestView>, Problem> {
    let test = api.webhooks.test(&caller.actor(), &id, wanted.event_type).await?;
    Ok(Json(TestView::from(test)))
}

impl From<Test> for TestView {
    fn from(test: Test) -> Self {
        let exchange = test.probe.exchange;
        Self {
            succeeded: exchange.outcome.succeeded(),
            result: exchange.outcome.to_string(),
            status_code: exchange.outcome.status_code(),
            remedy: remedy(exchange.outcome, exchange.detail.as_ref()),
            detail: explanation(exchange.outcome, exchange.detail.as_ref()),
            url: test.url,
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
        let millis = |took: Duration| took.as_secs_f64() * 1_000.0;
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
