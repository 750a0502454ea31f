//! Each request has a name, which its answer and its log lines carry: the one that it came with, or a new one.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, Span};

use crate::{trace, ui::INVITES};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that is taken from a request.
const LONGEST: usize = 64;

/// How much of a path the log shows.
const LONGEST_PATH: usize = 200;

pub(super) async fn name(request: Request, next: Next) -> Response {
    let named = request
        .headers()
        .get(&HEADER)
        .filter(|value| is_name(value.as_bytes()));
    let id = named.cloned().unwrap_or_else(new_name);
    let span = tracing::info_span!(
        "request",
        id = id.to_str().unwrap_or_default(),
        method = request.method().as_str(),
        // Without its query, which may hold what nobody should see.
        path = shown(request.uri().path()),
    );
    let traced = traced(&request);
    let answered = async {
        let response = next.run(request).await;
        let status = response.status();
        tracing::debug!(status = status.as_u16(), "answered");
        trace::answered(&traced, status.as_u16(), status.is_server_error());
        response
    };
    let mut response = answered.instrument(span).await;
    response.headers_mut().insert(HEADER, id);
    response
}

/// A path as the log may have it: without the token of an invite.
fn shown(path: &str) -> &str {
    let path = if path.starts_with(INVITES) { INVITES } else { path };
    &path[..path.floor_char_boundary(LONGEST_PATH)]
}

/// Its span for who collects traces, as a part of the caller's trace.
fn traced(request: &Request) -> Span {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let span = trace::request(request.method().as_str(), route);
    #[cfg(feature = "otel")]
    super::telemetry::traces::continue_from(request.headers(), &span);
    span
}

/// Whether it may be written into the log and sent back: nobody else's line or field can be forged with it.
fn is_name(value: &[u8]) -> bool {
    (1..=LONGEST).contains(&value.len())
        && value
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn new_name() -> HeaderValue {
    let mut random = [0; 16];
    getrandom::fill(&mut random).expect("the system's random numbers are available");
    let id = uuid::Builder::from_random_bytes(random).into_uuid();
    HeaderValue::from_str(&id.to_string()).expect("a UUID is hex and hyphens")
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
    fn a_name_cannot_break_out_of_its_field() {
        for good in ["17", "a-b_c.d", &"a".repeat(64)] {
            assert!(is_name(good.as_bytes()), "{good}");
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
            assert!(!is_name(bad.as_bytes()), "{bad:?}");
        }
        assert!(is_name(new_name().as_bytes()));
    }
}
