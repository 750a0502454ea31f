//! Errors as `application/problem+json` (RFC 9457), with one entry per invalid field.

mod kind;
mod responses;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header as http_header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    auth::KeyError,
    delivery::{gate::GateError, intake::PublishError, tester::TestError},
    domain::{Field, FieldErrors},
    store::StoreError,
    webhooks::WebhookError,
};

use super::path_params::{PathParams, WebhookPath};
use kind::Kind;
pub(crate) use responses::{
    CommonErrors, Conflict, ConflictOrLimit, InvalidBody, InvalidFields, NotFound, PreconditionFailed,
    RateLimitOrBusy, header, schemas,
};

/// An error response.
#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    errors: Vec<FieldProblem>,
    /// Value of `Retry-After`, in seconds.
    retry_after: Option<u64>,
    /// Headers in addition to those of every problem.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// An error response (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemView<'a> {
    /// Identifies the kind of error. Distinguish errors by this field.
    #[serde(rename = "type")]
    #[schema(schema_with = responses::type_schema)]
    kind: String,
    /// Short summary, the same for all errors of this type.
    #[schema(examples("Invalid fields"))]
    title: &'static str,
    /// HTTP status code.
    #[schema(examples(422))]
    status: u16,
    /// What is wrong with this request, and what to do about it.
    #[schema(examples("See the message for each field."))]
    detail: &'a str,
    /// Invalid fields and parameters. Absent if there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<FieldProblem>>, nullable = false)]
    errors: &'a [FieldProblem],
}

/// An invalid field or parameter.
#[derive(Debug, Serialize, ToSchema)]
struct FieldProblem {
    /// Name of the field, with its index if it is in a list.
    #[schema(examples("url", "events[1].type"))]
    field: String,
    /// What is expected.
    #[schema(examples("Enter a URL that starts with https://."))]
    message: String,
}

impl Problem {
    fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            headers: Vec::new(),
        }
    }

    /// 400: the request cannot be parsed.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(&kind::MALFORMED, detail)
    }

    /// 422: the request can be parsed, but this field is invalid.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        Self {
            errors: vec![FieldProblem {
                field,
                message: message.clone(),
            }],
            ..Self::new(&kind::INVALID, message)
        }
    }

    /// 404: unknown, or owned by another account.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(&kind::NOT_FOUND, detail)
    }

    /// 404: an id in the path is unknown.
    pub(crate) fn unknown_id<P: PathParams>() -> Self {
        Self::not_found(P::UNKNOWN)
    }

    /// 405: the path exists, but not with this method.
    pub fn method_not_allowed() -> Self {
        Self::new(
            &kind::METHOD,
            "This endpoint does not support the method. The Allow header lists the supported methods.",
        )
    }

    /// 409: the request conflicts with existing data.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(&kind::CONFLICT, detail)
    }

    /// 413: `subject` is larger than `limit` bytes.
    pub fn too_large(subject: &str, limit: usize) -> Self {
        let limit = limit / 1024;
        Self::new(&kind::TOO_LARGE, format!("{subject} is larger than {limit} KiB."))
    }

    /// 415: the body has this content encoding, such as `gzip`.
    pub fn encoded(encoding: &str) -> Self {
        let detail =
            format!("The body is encoded as {encoding}. Send it uncompressed, without Content-Encoding.");
        let identity = HeaderValue::from_static("identity");
        Self::new(&kind::ENCODING, detail).with_headers([(http_header::ACCEPT_ENCODING, identity)])
    }

    /// 429: the caller exceeded a rate limit.
    pub fn too_many(detail: impl Into<String>, seconds: u64) -> Self {
        Self::later(&kind::RATE_LIMIT, detail, seconds)
    }

    /// 500: an internal error, whose details are in the log.
    pub fn internal() -> Self {
        Self::new(&kind::INTERNAL, "An internal error occurred. It has been logged.")
    }

    /// 503: the request timed out.
    pub fn timed_out() -> Self {
        let text = "The request took too long. It may or may not have taken effect.";
        Self::later(&kind::UNCONFIRMED, text, 5)
    }

    /// 503: the change is stored, but its result cannot be read.
    pub(crate) fn stored_but_unreadable(error: &StoreError) -> Self {
        tracing::error!(%error, "failed to read back a stored change");
        Self::later(
            &kind::UNCONFIRMED,
            "The change is stored, but its result cannot be read at the moment.",
            2,
        )
    }

    /// 429 and 503, with `Retry-After`.
    fn later(kind: &'static Kind, detail: impl Into<String>, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..Self::new(kind, detail)
        }
    }

    pub(super) fn with_headers(
        mut self,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Self {
        self.headers.extend(headers);
        self
    }

    fn field(mut self, field: Field, message: &str) -> Self {
        self.errors.push(FieldProblem {
            field: field.to_string(),
            message: message.to_owned(),
        });
        self
    }

    fn headers(&self) -> HeaderMap {
        let mut headers: HeaderMap = self.headers.iter().cloned().collect();
        headers.insert(
            http_header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(http_header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind.status == StatusCode::UNAUTHORIZED {
            headers.insert(http_header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let view = ProblemView {
            kind: self.kind.uri(),
            title: self.kind.title,
            status: self.kind.status.as_u16(),
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_vec(&view).expect("strings and numbers serialize to JSON");
        (self.kind.status, self.headers(), body).into_response()
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let detail = error.to_string();
        match error {
            KeyError::Invalid => Self::new(&kind::KEY, detail),
            KeyError::MissingScope(_) => Self::new(&kind::SCOPE, detail),
            KeyError::Unavailable(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    /// 503 for temporary errors, 500 for others. The database's message goes to the log only.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "API call failed in the store");
        match error {
            StoreError::Unavailable(_) | StoreError::Open(_) => Self::later(
                &kind::UNAVAILABLE,
                "The database is not available. Nothing was stored.",
                2,
            ),
            StoreError::Unconfirmed => Self::later(
                &kind::UNCONFIRMED,
                "The change is stored, but not yet confirmed by every process.",
                5,
            ),
            StoreError::CommitUnknown(_) => Self::later(
                &kind::UNCONFIRMED,
                "The database connection was lost during the change, which may or may not be stored. Check before \
                 retrying.",
                2,
            ),
            StoreError::Conflict(_)
            | StoreError::LimitReached
            | StoreError::Corrupt(_)
            | StoreError::Bug(_) => Self::internal(),
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Conflict(conflict) => Self::conflict(format!(
                "Number {} of this request has the id or the idempotency key of the event “{}”, which has different \
                 content. No event of this request is stored.",
                conflict.index + 1,
                conflict.id
            )),
            PublishError::Busy => Self::later(
                &kind::BUSY,
                "The server receives more events than it can store. No event of this request is stored.",
                1,
            ),
            PublishError::Store(error) => match &*error {
                StoreError::Unavailable(_) => Self::later(
                    &kind::UNAVAILABLE,
                    "The database is not available. No event of this request is stored.",
                    2,
                ),
                StoreError::CommitUnknown(_) => Self::later(
                    &kind::UNCONFIRMED,
                    "The database connection was lost while the events of this request were stored. Retry with the same \
                     ids or the same idempotency key. Then no event is stored twice.",
                    2,
                ),
                _ => Self::internal(),
            },
        }
    }
}

impl From<TestError> for Problem {
    fn from(error: TestError) -> Self {
        match error {
            TestError::NotFound => Self::unknown_id::<WebhookPath>(),
            TestError::TooMany => Self::too_many(error.to_string(), 10),
            TestError::Gate(GateError::Store(error)) => error.into(),
            TestError::Gate(GateError::Vault(_)) | TestError::Fenced => {
                tracing::error!(%error, "failed to send a test event");
                Self::later(&kind::UNAVAILABLE, "Test events cannot be sent at the moment.", 2)
            }
        }
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Invalid(errors) => from_fields(&errors),
            WebhookError::NameTaken(name) => {
                let message = name.taken_message();
                Self::conflict(message.clone()).field(Field::Name, &message)
            }
            WebhookError::LimitReached { .. } => Self::new(&kind::FULL, error.to_string()),
            WebhookError::Stale(current) => Self::new(
                &kind::STALE,
                format!(
                    "{} changed the webhook. Its version is now {}. Read it again before changing it.",
                    current.updated_by, current.version
                ),
            ),
            WebhookError::NotFound => Self::unknown_id::<WebhookPath>(),
            WebhookError::Store(error) => error.into(),
            WebhookError::Vault(error) => {
                tracing::error!(%error, "failed to decrypt a secret");
                Self::internal()
            }
        }
    }
}

fn from_fields(errors: &FieldErrors) -> Problem {
    let problem = Problem::new(&kind::INVALID, "See the message for each field.");
    errors
        .iter()
        .fold(problem, |problem, (field, message)| problem.field(field, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failed_changes_claim_that_nothing_was_stored() {
        let unavailable = Problem::from(StoreError::unavailable("gone"));
        assert!(unavailable.detail.contains("Nothing was stored"));
        let error = StoreError::unavailable("gone");
        for problem in [
            Problem::from(StoreError::Unconfirmed),
            Problem::timed_out(),
            Problem::stored_but_unreadable(&error),
        ] {
            assert_eq!(problem.kind.name, "unconfirmed");
            assert_eq!(problem.kind.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(!problem.detail.contains("Nothing"), "{}", problem.detail);
        }
    }
}
