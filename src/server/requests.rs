//! Every request has an id, which its response and its log lines carry. `tower_http::request_id` generates and propagates
//! it; here are the rules for the ids that clients send, and the spans.

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

use crate::{domain::random_uuid, trace, ui::INVITES};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Maximum length of an id that a client sends.
const MAX_LENGTH: usize = 64;

/// How much of a path the log shows.
const LONGEST_PATH: usize = 200;

/// Makes the id of a request that brings none.
#[derive(Clone, Copy)]
pub(super) struct NewId;

impl MakeRequestId for NewId {
    fn make_request_id<B>(&mut self, _request: &axum::http::Request<B>) -> Option<RequestId> {
        let mut text = Uuid::encode_buffer();
        let id = random_uuid().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).ok().map(RequestId::new)
    }
}

/// Removes an id that is not safe to log and to send back, so that the request gets a new one.
pub(super) fn remove_invalid_id(mut request: Request) -> Request {
    let id = request.headers().get(&HEADER);
    if id.is_some_and(|id| !is_valid(id.as_bytes())) {
        request.headers_mut().remove(&HEADER);
    }
    request
}

/// Handles each request in its spans, for the log and for traces. A layer of its own type, because one of a function
/// costs each request a copy of everything inside and a box.
#[derive(Clone, Copy)]
pub(super) struct SpansLayer {
    /// The pattern of the path, where no router finds it.
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
            // Without its query, which may hold what nobody should see.
            path = shown(request.uri().path()),
        );
        let traced = traced(&request, self.route);
        let inner = self.inner.call(request);
        Traced { inner, traced }.instrument(span)
    }
}

pin_project! {
    /// Notes the status of the response.
    pub(super) struct Traced<F> {
        #[pin]
        inner: F,
        traced: Span,
    }
}

impl<F: Future<Output = Result<Response<B>, E>>, B, E> Future for Traced<F> {
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.inner.poll(context));
        if let Ok(response) = &answered {
            let status = response.status();
            tracing::debug!(status = status.as_u16(), "request finished");
            trace::answered(this.traced, status.as_u16(), status.is_server_error());
        }
        Poll::Ready(answered)
    }
}

/// A path as the log may have it: without the token of an invite.
fn shown(path: &str) -> &str {
    let path = if path.starts_with(INVITES) { INVITES } else { path };
    &path[..path.floor_char_boundary(LONGEST_PATH)]
}

/// Its span for who collects traces, as a part of the caller's trace.
fn traced(request: &Request, route: Option<&str>) -> Span {
    let found = || request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let span = trace::request(request.method().as_str(), route.or_else(found));
    #[cfg(feature = "otel")]
    super::telemetry::traces::continue_from(request.headers(), &span);
    span
}

/// Only characters that cannot forge another line or field of the log.
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
    fn a_path_is_shown_without_a_token_and_not_at_any_length() {
        assert_eq!(shown("/api/v1/webhooks/wh_1"), "/api/v1/webhooks/wh_1");
        assert_eq!(shown("/invite/secret"), "/invite/");
        assert_eq!(shown("/invite/secret/"), "/invite/");
        assert_eq!(shown(&"/ä".repeat(1_000)).len(), 199);
    }

    #[test]
    fn an_id_cannot_break_out_of_its_field() {
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
