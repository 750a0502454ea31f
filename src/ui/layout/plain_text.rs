//! Untrusted content as a response of its own: plain text that browsers show and do not interpret.

use axum::{
    body::Bytes,
    http::header,
    response::{IntoResponse, Response},
};

/// The default headers of all responses forbid guessing another type, running anything and caching.
pub fn plain_text(text: impl Into<Bytes>) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (content_type, text.into()).into_response()
}
