//! Reads and parses request bodies: limited in size, with errors that name the position of the mistake.

use std::{fmt, marker::PhantomData};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use http_body_util::LengthLimitError;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Number;

use super::Problem;

/// Maximum size of a request body, except for publishing events.
const MAX_BODY: usize = 256 * 1024;

/// Byte order mark of UTF-8. RFC 8259 allows parsers to ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads a body of at most `limit` bytes. Larger bodies are a 413 problem, compressed ones a 415 problem.
pub(crate) async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Problem> {
    reject_encoding(headers)?;
    let too_large = || Problem::too_large("The body", limit);
    // The client states the size in Content-Length, so nothing needs to be read.
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let bytes = axum::body::to_bytes(body, limit).await.map_err(|error| {
        let is_too_large =
            std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>);
        if is_too_large {
            too_large()
        } else {
            Problem::malformed("The connection closed before the end of the body.")
        }
    })?;
    Ok(match bytes.strip_prefix(BYTE_ORDER_MARK) {
        Some(text) => bytes.slice_ref(text),
        None => bytes,
    })
}

/// Rejects content encodings other than `identity`.
fn reject_encoding(headers: &HeaderMap) -> Result<(), Problem> {
    for value in headers.get_all(header::CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut encodings = value.split(',').map(str::trim);
        let is_identity = |encoding: &str| encoding.is_empty() || encoding.eq_ignore_ascii_case("identity");
        if let Some(encoding) = encodings.find(|encoding| !is_identity(encoding)) {
            return Err(Problem::encoded(encoding));
        }
    }
    Ok(())
}

/// A JSON object in a request body, regardless of its content type. An empty body and `null` count as `{}`.
pub(crate) struct Parsed<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Parsed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read(&parts.headers, body, MAX_BODY).await?;
        let is_empty = matches!(bytes.trim_ascii(), b"" | b"null");
        parse(if is_empty { b"{}" } else { &bytes }).map(Self)
    }
}

/// Parses a JSON object. `T` can borrow from the body.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    let object = serde_json::from_slice(bytes).map(|Object(value)| value);
    object.map_err(|error| match bytes {
        [0x1f, 0x8b, ..] => Problem::encoded("gzip"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Problem::malformed("The body is UTF-16. Send it as UTF-8."),
        _ => Problem::malformed(format!("The body is invalid: {error}.")),
    })
}

/// A value that is deserialized from an object only. A derived `Deserialize` also accepts an array, with the fields in
/// their order.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer
            .deserialize_map(ObjectVisitor(PhantomData))
            .map(Object)
    }
}

/// Deserializes an array of objects.
pub(crate) fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    let objects: Vec<Object<T>> = Deserialize::deserialize(deserializer)?;
    Ok(objects.into_iter().map(|Object(value)| value).collect())
}

/// Deserializes an optional integer. Accepts `3.0` as well, which JSON does not distinguish from `3`.
pub(crate) fn integer<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    let integer = digits
        .parse()
        .ok()
        .and_then(|integer: i64| T::try_from(integer).ok());
    let out_of_range = || D::Error::custom(format!("expected a whole number in range, got {number}"));
    integer.map(Some).ok_or_else(out_of_range)
}

/// Returns the `Idempotency-Key` header, which must be 1 to 255 visible ASCII characters.
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
        #[serde(default, deserialize_with = "integer")]
        hours: Option<u64>,
    }

    #[test]
    fn arrays_are_not_read_as_objects() {
        for text in ["[]", "[24]", "[null]", " [ ]", "24", r#""hours""#] {
            assert!(parse::<Hours>(text.as_bytes()).is_err(), "{text}");
        }
        #[derive(Deserialize)]
        struct Days {
            #[serde(deserialize_with = "objects")]
            days: Vec<Hours>,
        }
        let read = |text: &str| parse::<Days>(text.as_bytes()).map(|body| body.days.len()).ok();
        assert_eq!(read(r#"{"days":[{"hours":1},{}]}"#), Some(2));
        for text in [r#"{"days":[[1]]}"#, r#"{"days":[{},[]]}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn integers_can_be_written_with_a_zero_fraction() {
        let read = |text: &str| parse::<Hours>(text.as_bytes()).map(|body| body.hours).ok();
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
