//! Spans that are exported as traces. They do not appear in the log, and cost almost nothing if traces are off.
//!
//! Names and fields follow OpenTelemetry's semantic conventions. The exporter reads the `otel.…` fields.

use tracing::{Span, field::Empty};

/// Target of these spans, which the log filter excludes.
pub const TARGET: &str = "otel";

/// Creates the span of an incoming request. `route` is the pattern, not the path, which can contain a token.
pub fn request(method: &str, route: Option<&str>) -> Span {
    tracing::info_span!(
        target: TARGET,
        "request",
        // Formatted only if traces are exported.
        otel.name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}")),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// Creates the span of a delivery attempt. Contains only the host of the URL, which can contain a token.
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

/// Records the ids of the delivery and the number of the attempt.
pub fn record_delivery(span: &Span, delivery: &str, event: &str, webhook: &str, number: u32) {
    span.record("caleida.delivery", delivery);
    span.record("caleida.event", event);
    span.record("caleida.webhook", webhook);
    span.record("http.request.resend_count", number.saturating_sub(1));
}

/// Records why there was no response.
pub fn record_failure(span: &Span, reason: &str) {
    span.record("error.type", reason);
    span.record("otel.status_code", "ERROR");
}

/// Records the status of the response.
pub fn record_status(span: &Span, status: u16, failed: bool) {
    span.record("http.response.status_code", status);
    if failed {
        span.record("otel.status_code", "ERROR");
    }
}
