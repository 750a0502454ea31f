//! What is kept of a receiver's answer.

use std::time::Duration;

use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};
use tokio::time::{Instant, timeout_at};

use super::{Exchange, failure::broke_off};
use crate::domain::{AttemptDetail, Outcome, Timestamp, retry::MAX_RETRY_AFTER};

/// How much of a body is kept, in bytes after decompression.
pub const BODY_KEPT: usize = 16 * 1024;

/// How many headers are kept, the first ones.
pub const HEADERS_KEPT: usize = 64;

/// How much of a header's value is kept, in bytes.
pub const HEADER_VALUE_KEPT: usize = 1024;

const REDACTED: &str = "[redacted]";

/// Reads an answer whose status and headers have come.
///
/// The status decides, even if the body then breaks or does not end: a receiver that says 200 has taken the event, and
/// to send it again because of a defect in what follows would only make a duplicate; one that says 500 has not, and
/// nothing in the body would change that. What was wrong with the body is noted beside the outcome.
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
                let room = BODY_KEPT - response_body.len();
                response_body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    end = BodyEnd::NotKept;
                    break;
                }
            }
            Ok(Ok(None)) => break,
            Ok(Err(error)) => {
                end = if broke_off(&error) {
                    BodyEnd::Broken
                } else {
                    BodyEnd::Undecodable
                };
                break;
            }
            Err(_) => {
                end = BodyEnd::TooLate;
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

/// The pause that a `Retry-After` asks for, in either of its forms, and at most a day; none if it is neither.
///
/// | value | at 2026-11-23T10:00:00Z |
/// |---|---|
/// | `120` | 2 min |
/// | `Mon, 23 Nov 2026 10:02:00 GMT` | 2 min |
/// | `Mon, 23 Nov 2026 09:00:00 GMT` | 0 |
/// | `soon`, `-1`, `1.5` | none |
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let asked = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Digits that do not fit are a very long time.
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        let date = httpdate::parse_http_date(value).ok()?;
        let since_1970 = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        Timestamp::from_millis(0).plus(since_1970).since(now)
    };
    Some(asked.min(MAX_RETRY_AFTER))
}

#[derive(PartialEq, Eq)]
enum BodyEnd {
    Complete,
    /// There is more than is kept.
    NotKept,
    Undecodable,
    Broken,
    TooLate,
}

impl BodyEnd {
    fn detail(&self) -> Option<&'static str> {
        match self {
            Self::Complete | Self::NotKept => None,
            Self::Undecodable => Some("The body of the answer is not compressed as its headers say"),
            Self::Broken => Some("The connection broke in the middle of the answer's body"),
            Self::TooLate => Some("The body of the answer did not end in time"),
        }
    }
}

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .iter()
        .take(HEADERS_KEPT)
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
    const MORE: char = '…';
    let mut text = String::from_utf8_lossy(value).into_owned();
    if text.len() > HEADER_VALUE_KEPT {
        text.truncate(text.floor_char_boundary(HEADER_VALUE_KEPT - MORE.len_utf8()));
        text.push(MORE);
    }
    text
}

/// Whether a header may hold what opens a door: the log is read by more people than may open it.
fn is_credential(name: &str) -> bool {
    matches!(
        name,
        "set-cookie" | "set-cookie2" | "cookie" | "authorization" | "proxy-authorization"
    ) || ["token", "secret", "password", "api-key", "apikey", "session"]
        .iter()
        .any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(1_795_435_200_000);

    #[test]
    fn retry_after_is_read_in_both_forms() {
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
    fn credentials_are_redacted_and_the_rest_is_kept_in_order() {
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
    fn values_are_lossy_and_capped_between_characters() {
        assert_eq!(kept_value(b"caf\xe9"), "caf\u{fffd}");
        assert_eq!(kept_value("café".as_bytes()), "café");
        assert_eq!(kept_value(&[b'a'; HEADER_VALUE_KEPT]).len(), HEADER_VALUE_KEPT);
        let long = kept_value("é".repeat(HEADER_VALUE_KEPT).as_bytes());
        assert!(
            long.len() <= HEADER_VALUE_KEPT && long.ends_with("é…"),
            "{} bytes",
            long.len()
        );
    }

    #[test]
    fn only_so_many_headers_are_kept() {
        let headers: HeaderMap = (0..100)
            .map(|n| {
                (
                    HeaderName::try_from(format!("x-{n}")).unwrap(),
                    HeaderValue::from_static("1"),
                )
            })
            .collect();
        assert_eq!(kept_headers(&headers).len(), HEADERS_KEPT);
    }
}
