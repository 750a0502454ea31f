//! Request ids and spans. `tower_http::request_id` generates ids and copies them to responses; this module validates
//! the ids that clients send, and creates a span for the log and one for traces.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    response::Response,
};
use pin_project_lite::pin_project;
use tower::{Layer, Service};
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::{Instrument, Span, instrument::Instrumented};
use uuid::Uuid;

use crate::{domain::random_uuid, trace, ui::INVITE_PREFIX};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum length of an id from a client.
const MAX_LENGTH: usize = 64;

/// Maximum length of a path in the log, in bytes.
const MAX_PATH: usize = 200;

/// Generates ids for requests without one.
#[derive(Clone, Copy)]
pub(super) struct GenerateId;

impl MakeRequestId for GenerateId {
    fn make_request_id<B>(&mut self, _request: &axum::http::Request<B>) -> Option<RequestId> {
        let mut text = Uuid::encode_buffer();
        let id = random_uuid().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).ok().map(RequestId::new)
    }
}

/// Removes an id that is not safe to log or to send back, so that a new one is generated.
pub(super) fn remove_invalid_id(mut request: Request) -> Request {
    let id = request.headers().get(&HEADER);
    if id.is_some_and(|id| !is_valid(id.as_bytes())) {
        request.headers_mut().remove(&HEADER);
    }
    request
}

/// Layer that handles each request in its spans. A type of its own, because `middleware::from_fn` clones the inner
/// service and allocates for each request.
#[derive(Clone, Copy)]
pub(super) struct SpansLayer {
    /// Path pattern, if there is no router that finds it.
    pub(super) route: Option<&'static str>,
}

impl<S> Layer<S> for SpansLayer {
    type Service = Spans<S>;

    fn layer(&self, inner: S) -> Spans<S> {
        let route = self.route;
        Spans { inner, route }
    }
}

#[derive(Clone)]
pub(super) struct Spans<S> {
    inner: S,
    route: Option<&'static str>,
}

impl<S: Service<Request, Response = Response<B>>, B> Service<Request> for Spans<S> {
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Instrumented<Traced<S::Future>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let id = request.extensions().get::<RequestId>();
        let id = id.and_then(|id| id.header_value().to_str().ok());
        let span = tracing::info_span!(
            "request",
            id = id.unwrap_or_default(),
            method = request.method().as_str(),
            // Without the query, which can contain secrets.
            path = loggable_path(request.uri().path()),
        );
        let trace_span = trace_span(&request, self.route);
        let inner = self.inner.call(request);
        Traced { inner, trace_span }.instrument(span)
    }
}

pin_project! {
    /// Records the status of the response in the spans.
    pub(super) struct Traced<F> {
        #[pin]
        inner: F,
        trace_span: Span,
    }
}

impl<F: Future<Output = Result<Response<B>, E>>, B, E> Future for Traced<F> {
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(context));
        if let Ok(response) = &result {
            let status = response.status();
            tracing::debug!(status = status.as_u16(), "request finished");
            trace::record_status(this.trace_span, status.as_u16(), status.is_server_error());
        }
        Poll::Ready(result)
    }
}

/// Returns a path for the log, without the token of an invite.
fn loggable_path(path: &str) -> &str {
    let path = if path.starts_with(INVITE_PREFIX) {
        INVITE_PREFIX
    } else {
        path
    };
    &path[..path.floor_char_boundary(MAX_PATH)]
}

/// Creates the span for traces, as a child of the span in the request's `traceparent`.
fn trace_span(request: &Request, route: Option<&str>) -> Span {
    let matched_route = || request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let span = trace::request(request.method().as_str(), route.or_else(matched_route));
    #[cfg(feature = "otel")]
    super::telemetry::traces::continue_from(request.headers(), &span);
    span
}

/// Allows only characters that cannot forge a line or field of the log.
fn is_valid(value: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&value.len())
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logged_paths_have_no_token_and_are_cut() {
        assert_eq!(loggable_path("/api/v1/webhooks/wh_1"), "/api/v1/webhooks/wh_1");
        assert_eq!(loggable_path("/invite/secret"), "/invite/");
        assert_eq!(loggable_path("/invite/secret/"), "/invite/");
        assert_eq!(loggable_path(&"/ä".repeat(1_000)).len(), 199);
    }

    #[test]
    fn ids_cannot_forge_log_fields() {
        for good in ["17", "a-b_c.d", &"a".repeat(64)] {
            assert!(is_valid(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a\nb",
            "a\"b",
            "a=b",
            "\u{1b}[2J",
            "é",
            &"a".repeat(65),
        ] {
            assert!(!is_valid(bad.as_bytes()), "{bad:?}");
        }
    }
}
