//! `POST /api/v1/webhooks/{id}/test`: what happens to an event that is sent right now.

use std::time::Duration;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::HeaderMap,
};
use serde::{Deserialize, Serialize};

use super::{Api, Problem, actor, body};
use crate::{
    auth::api_key::WEBHOOKS_WRITE,
    delivery::{
        sender::{Certificate, Timings},
        tester::{Test, TestError},
    },
    domain::{EventType, Origin, remedy::remedy},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "type", default = "chat")]
    event_type: EventType,
}

fn chat() -> EventType {
    EventType::Chat
}

#[derive(Serialize)]
struct TestView {
    succeeded: bool,
    result: String,
    status_code: Option<u16>,
    detail: Option<String>,
    remedy: Option<&'static str>,
    url: String,
    timings_ms: TimingsView,
    certificate: Option<CertificateView>,
    request_headers: Vec<(String, String)>,
    request_body: String,
    response_headers: Vec<(String, String)>,
    response_body: String,
    response_truncated: bool,
}

/// In milliseconds.
#[derive(Serialize)]
struct TimingsView {
    dns: Option<f64>,
    connect: Option<f64>,
    tls: Option<f64>,
    first_byte: Option<f64>,
    total: f64,
}

#[derive(Serialize)]
struct CertificateView {
    names: Vec<String>,
    issuer: String,
    not_before: String,
    not_after: String,
    protocol: String,
}

pub(super) async fn send(
    State(api): State<Api>,
    Path(id): Path<String>,
    origin: Origin,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<impl Serialize>, Problem> {
    let key = api.auth.require_key(&headers, WEBHOOKS_WRITE).await?;
    let wanted: Wanted = body::parse(&body::read(body, body::LIMIT).await?)?;
    let id = id.parse().map_err(|_| TestError::NotFound)?;
    let test = api
        .webhooks
        .test(&actor(&key, origin), &id, wanted.event_type)
        .await?;
    Ok(Json(TestView::from(test)))
}

impl From<Test> for TestView {
    fn from(test: Test) -> Self {
        let exchange = test.probe.exchange;
        Self {
            succeeded: exchange.outcome.succeeded(),
            result: exchange.outcome.to_string(),
            status_code: exchange.outcome.status_code(),
            remedy: remedy(exchange.outcome, exchange.detail.as_deref()),
            detail: exchange.detail,
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
            not_before: certificate.not_before.rfc3339(),
            not_after: certificate.not_after.rfc3339(),
            protocol: certificate.protocol,
        }
    }
}
