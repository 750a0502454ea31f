//! Reads a receiver's response and keeps a limited part of it.

use std::time::Duration;

use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};
use tokio::time::{Instant, timeout_at};

use super::{Exchange, failure::is_connection_error};
use crate::{
    delivery::hidden::REDACTED,
    domain::{AttemptDetail, Outcome, Timestamp, retry::MAX_RETRY_AFTER},
};

/// Maximum number of body bytes that are kept, after decompression.
pub const MAX_RESPONSE_BODY: usize = 16 * 1024;

/// Maximum number of headers that are kept.
pub const MAX_RESPONSE_HEADERS: usize = 64;

/// Maximum number of bytes that are kept of a header value.
pub const MAX_HEADER_VALUE: usize = 1024;

/// Reads a response whose status and headers have arrived.
///
/// Only the status decides the outcome, even if the body fails. A receiver that responds with 200 has accepted the
/// event, and sending it again because of a broken body would only create a duplicate. A problem with the body is
/// reported in the detail.
pub(super) async fn read(mut response: Response, deadline: Instant, now: impl Fn() -> Timestamp) -> Exchange {
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, now()));
    let outcome = Outcome::Answered {
        status: response.status().as_u16(),
        retry_after,
    };
    let response_headers = kept_headers(response.headers());
    let mut response_body = Vec::new();
    let mut end = BodyEnd::Complete;
    loop {
        match timeout_at(deadline, response.chunk()).await {
            Ok(Ok(Some(chunk))) => {
                let room = MAX_RESPONSE_BODY - response_body.len();
                response_body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    end = BodyEnd::Truncated;
                    break;
                }
            }
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                end = if is_connection_error(&error) {
                    BodyEnd::ConnectionLost
                } else {
                    BodyEnd::Undecodable
                };
                break;
            }
            Err(_) => {
                end = BodyEnd::TimedOut;
                break;
            }
        }
    }
    Exchange {
        outcome,
        detail: end.detail().map(|text| AttemptDetail::Text(text.to_owned())),
        response_headers,
        response_body,
        response_truncated: end != BodyEnd::Complete,
    }
}

/// Returns the delay that a `Retry-After` header requests, at most a day. Returns `None` if it is neither a number of
/// seconds nor a date.
///
/// | value | at 2026-11-23T10:00:00Z |
/// |---|---|
/// | `120` | 2 min |
/// | `Mon, 23 Nov 2026 10:02:00 GMT` | 2 min |
/// | `Mon, 23 Nov 2026 09:00:00 GMT` | 0 |
/// | `soon`, `-1`, `1.5` | none |
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let requested = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number that does not fit is a very long delay.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        let since_1970 = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        Timestamp::from_millis(0).plus(since_1970).since(now)
    };
    Some(requested.min(MAX_RETRY_AFTER))
}

/// Result of reading a body.
#[derive(PartialEq, Eq)]
enum BodyEnd {
    Complete,
    /// The body is longer than the part that is kept.
    Truncated,
    Undecodable,
    ConnectionLost,
    TimedOut,
}

impl BodyEnd {
    fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Complete | Self::Truncated => None,
            Self::Undecodable => Some("The response body does not match its content-encoding"),
            Self::ConnectionLost => Some("The connection was lost in the middle of the response body"),
            Self::TimedOut => Some("The response body was not complete before the timeout"),
        }
    }
}

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .take(MAX_RESPONSE_HEADERS)
        .map(|(name, value)| {
            let value = if is_credential(name.as_str()) {
                REDACTED.to_owned()
            } else {
                kept_value(value.as_bytes())
            };
            (name.as_str().to_owned(), value)
        })
        .collect()
}

fn kept_value(value: &[u8]) -> String {
    const ELLIPSIS: char = '…';
    let mut text = String::from_utf8_lossy(value).into_owned();
    if text.len() > MAX_HEADER_VALUE {
        text.truncate(text.floor_char_boundary(MAX_HEADER_VALUE - ELLIPSIS.len_utf8()));
        text.push(ELLIPSIS);
    }
    text
}

/// Returns whether a header may contain a credential. Users who may read the log must not see it.
fn is_credential(name: &str) -> bool {
    matches!(
        name,
        "set-cookie" | "set-cookie2" | "cookie" | "authorization" | "proxy-authorization"
    ) || ["token", "secret", "password", "api-key", "apikey", "session"]
        .iter()
        .any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_435_200_000);

    #[test]
    fn retry_after_accepts_seconds_and_dates() {
        for (value, seconds) in [
            ("120", 120),
            (" 0 ", 0),
            ("Mon, 23 Nov 2026 12:02:00 GMT", 120),
            ("Monday, 23-Nov-26 12:02:00 GMT", 120),
            ("Mon Nov 23 12:02:00 2026", 120),
            ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
            ("Tue, 23 Nov 2027 12:00:00 GMT", 86_400),
            ("86401", 86_400),
            ("99999999999999999999999999", 86_400),
        ] {
            assert_eq!(
                retry_after(value, NOON),
                Some(Duration::from_secs(seconds)),
                "{value:?}"
            );
        }
        for bad in [
            "",
            "soon",
            "-1",
            "+1",
            "1.5",
            "1 s",
            "Mon, 32 Nov 2026 12:00:00 GMT",
            "１２",
        ] {
            assert_eq!(retry_after(bad, NOON), None, "{bad:?}");
        }
    }

    #[test]
    fn credentials_are_redacted_and_other_headers_kept_in_order() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "text/plain"),
            ("set-cookie", "session=1"),
            ("set-cookie", "other=2"),
            ("x-amz-security-token", "abc"),
            ("x-request-id", "17"),
        ] {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let kept = kept_headers(&headers);
        let kept: Vec<_> = kept
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            kept,
            [
                ("content-type", "text/plain"),
                ("set-cookie", REDACTED),
                ("set-cookie", REDACTED),
                ("x-amz-security-token", REDACTED),
                ("x-request-id", "17"),
            ]
        );
    }

    #[test]
    fn values_are_decoded_lossily_and_cut_between_characters() {
        assert_eq!(kept_value(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(kept_value("café".as_bytes()), "café");
        assert_eq!(kept_value(&[b'a'; MAX_HEADER_VALUE]).len(), MAX_HEADER_VALUE);
        let long = kept_value("é".repeat(MAX_HEADER_VALUE).as_bytes());
        assert!(
            long.len() <= MAX_HEADER_VALUE && long.ends_with("é…"),
            "{} bytes",
            long.len()
        );
    }

    #[test]
    fn number_of_kept_headers_is_limited() {
        let headers: HeaderMap = (0..100)
            .map(|n| {
                (
                    HeaderName::try_from(format!("x-{n}")).unwrap(),
                    HeaderValue::from_static("1"),
                )
            })
            .collect();
        assert_eq!(kept_headers(&headers).len(), MAX_RESPONSE_HEADERS);
    }
}
