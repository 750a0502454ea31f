//! Request bodies, bounded and parsed with errors that say where they are wrong.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
    http::HeaderMap,
};
use http_body_util::LengthLimitError;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::Number;

use super::Problem;

/// The largest body of a call that is not a batch of events.
pub(crate) const LIMIT: usize = 256 * 1024;

/// Reads at most `limit` bytes. 413 beyond.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        let too_large =
            std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if too_large {
            Problem::too_large("The body", limit)
        } else {
            Problem::malformed("The body broke off.")
        }
    })
}

/// The JSON of a body, parsed, whatever its type is said to be; an empty one counts as `{}`, and so does `null`.
pub(crate) struct Parsed<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Parsed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = read(request.into_body(), LIMIT).await?;
        let is_nothing = matches!(bytes.trim_ascii(), b"" | b"null");
        parse(if is_nothing { b"{}" } else { &bytes }).map(Self)
    }
}

/// Parses JSON; what borrows from the body is not copied.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::malformed(format!("The body is not as expected: {error}.")))
}

/// A whole number, if there is one: to JSON, 3.0 is as whole as 3.
pub(crate) fn whole<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    let whole = digits.parse().ok().and_then(|whole: i64| T::try_from(whole).ok());
    let refused = || D::Error::custom(format!("expected a whole number in range, got {number}"));
    whole.map(Some).ok_or_else(refused)
}

/// The `Idempotency-Key` header: 1 to 255 visible ASCII characters.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let is_key = |text: &str| (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    match value.to_str() {
        Ok(text) if is_key(text) => Ok(Some(text.to_owned())),
        _ => Err(Problem::invalid(
            "Idempotency-Key",
            "Use 1 to 255 visible ASCII characters.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Hours {
        #[serde(default, deserialize_with = "whole")]
        hours: Option<u64>,
    }

    #[test]
    fn a_whole_number_is_one_however_it_is_written() {
        let read = |text: &str| parse::<Hours>(text.as_bytes()).map(|read| read.hours).ok();
        for (text, hours) in [
            ("{}", None),
            (r#"{"hours":null}"#, None),
            (r#"{"hours":24}"#, Some(24)),
            (r#"{"hours":24.0}"#, Some(24)),
        ] {
            assert_eq!(read(text), Some(hours), "{text}");
        }
        for text in [
            r#"{"hours":24.5}"#,
            r#"{"hours":-1}"#,
            r#"{"hours":"24"}"#,
            r#"{"hours":1e30}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
