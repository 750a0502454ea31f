//! The spans that are exported as traces. They are none of the log's, and cost next to nothing while nobody exports them.
//!
//! Names and fields are those of OpenTelemetry's semantic conventions; `otel.…` is read by the exporter.

use tracing::{Span, field::Empty};

/// Their target, by which the log leaves them out.
pub const TARGET: &str = "otel";

/// A request that is answered here. `route` is the pattern, not the path, which may hold a token.
pub fn request(method: &str, route: Option<&str>) -> Span {
    tracing::info_span!(
        target: TARGET,
        "request",
        // Made only for who collects it.
        otel.name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// An attempt at a delivery: one call of a receiver. Of its URL only the host is told, for the same reason.
pub fn attempt(host: Option<&str>) -> Span {
    tracing::info_span!(
        target: TARGET,
        "attempt",
        otel.name = "POST",
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = "POST",
        server.address = host,
        http.response.status_code = Empty,
        "error.type" = Empty,
        http.request.resend_count = Empty,
        caleida.delivery = Empty,
        caleida.event = Empty,
        caleida.webhook = Empty,
    )
}

/// Says what was sent to whom, and how often before.
pub fn delivers(span: &Span, delivery: &str, event: &str, webhook: &str, number: u32) {
    span.record("caleida.delivery", delivery);
    span.record("caleida.event", event);
    span.record("caleida.webhook", webhook);
    span.record("http.request.resend_count", number.saturating_sub(1));
}

/// Ends a span with why there was no answer.
pub fn failed(span: &Span, reason: &str) {
    span.record("error.type", reason);
    span.record("otel.status_code", "ERROR");
}

/// Ends a span with what was answered.
pub fn answered(span: &Span, status: u16, failed: bool) {
    span.record("http.response.status_code", status);
    if failed {
        span.record("otel.status_code", "ERROR");
    }
}
