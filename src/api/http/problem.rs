//! Errors as `application/problem+json` (RFC 9457), with the fields that are wrong.

mod responses;
mod kind;

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
pub(crate) use responses::{
    CommonErrors, InvalidBody, InvalidFields, Conflict, ConflictOrLimit, RateLimitOrBusy, PreconditionFailed, NotFound, header, schemas,
};
use kind::Kind;

/// Why a call was refused, and what to do about it.
#[derive(Debug)]
pub struct Problem {
    kind: &'static Kind,
    detail: String,
    errors: Vec<FieldProblem>,
    /// Seconds until it makes sense to try again.
    retry_after: Option<u64>,
    /// Header fields in addition to those of every problem.
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Why a call was refused, as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct ProblemView<'a> {
    /// What programs tell problems apart by.
    #[serde(rename = "type")]
    #[schema(schema_with = responses::type_schema)]
    kind: String,
    /// The same for all problems of its type.
    #[schema(examples("Invalid fields"))]
    title: &'static str,
    /// The status of the answer.
    #[schema(examples(422))]
    status: u16,
    /// What is wrong with this call, and what to do about it.
    #[schema(examples("See the message for each field."))]
    detail: &'a str,
    /// The fields or parameters that are wrong, if some are.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Option<Vec<FieldProblem>>, nullable = false)]
    errors: &'a [FieldProblem],
}

/// What is wrong with a field or parameter.
#[derive(Debug, Serialize, ToSchema)]
struct FieldProblem {
    /// Its name; with its place, if it is one of many.
    #[schema(examples("url", "events[1].type"))]
    field: String,
    /// What it should be.
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

    /// 400: the request cannot be read at all.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(&kind::MALFORMED, detail)
    }

    /// 422: it can be read, but this field says something impossible.
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

    /// 404: also for what belongs to another account.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(&kind::NOT_FOUND, detail)
    }

    /// 404: an id in the path is unknown.
    pub(crate) fn unknown_id<P: PathParams>() -> Self {
        Self::not_found(P::UNKNOWN)
    }

    /// 405
    pub fn method_not_allowed() -> Self {
        Self::new(
            &kind::METHOD,
            "This path takes other methods: the header Allow names them.",
        )
    }

    /// 409: what is there already does not go with it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(&kind::CONFLICT, detail)
    }

    /// 413
    pub fn too_large(what: &str, limit: usize) -> Self {
        let limit = limit / 1024;
        Self::new(&kind::TOO_LARGE, format!("{what} is larger than {limit} KiB."))
    }

    /// 429: this caller has had enough for now.
    pub fn too_many(detail: impl Into<String>, seconds: u64) -> Self {
        Self::later(&kind::RATE_LIMIT, detail, seconds)
    }

    /// 500: a fault of ours, whose details are in the log.
    pub fn internal() -> Self {
        Self::new(&kind::INTERNAL, "Something went wrong here. It has been logged.")
    }

    /// 503: it took too long.
    pub fn timed_out() -> Self {
        let text = "This took too long and was not waited for any longer. Whether it was done is not known.";
        Self::later(&kind::UNCONFIRMED, text, 5)
    }

    /// 503: it was done, and what came of it cannot be read.
    pub(crate) fn stored_but_unreadable(error: &StoreError) -> Self {
        tracing::error!(%error, "failed to read back a stored change");
        Self::later(
            &kind::UNCONFIRMED,
            "The change is stored, but its new state cannot be read at the moment.",
            2,
        )
    }

    /// 429 and 503, with the seconds until it makes sense to go on.
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
        let body = serde_json::to_vec(&view).expect("texts and numbers are JSON");
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
    /// 503 for what may pass, 500 for what will not; the database's words only reach the log.
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
                "The change is stored, but not every process has confirmed that it goes by it.",
                5,
            ),
            StoreError::CommitUnknown(_) => Self::later(
                &kind::UNCONFIRMED,
                "The connection to the database was lost while it stored this: it may be stored, or not. Look before you \
                 repeat it.",
                2,
            ),
            StoreError::Conflict(_) | StoreError::Full | StoreError::Corrupt(_) | StoreError::Bug(_) => {
                Self::internal()
            }
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Conflict(conflict) => Self::conflict(format!(
                "An event with the id or idempotency key of “{}” (number {} in this request) was accepted before, \
                 with other content. Nothing of this request is stored.",
                conflict.id,
                conflict.index + 1
            )),
            PublishError::Busy => Self::later(
                &kind::BUSY,
                "More events are coming in than the disk takes. Nothing of this request is stored.",
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
                    "The connection to the database was lost while it stored this request: its events may be stored, or \
                     not. Repeat it with the same ids or the same idempotency keys; nothing is stored twice then.",
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
                Self::later(&kind::UNAVAILABLE, "No test event can be sent at the moment.", 2)
            }
        }
    }
}

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::Invalid(errors) => from_fields(&errors),
            WebhookError::NameTaken(name) => {
                let message = name.taken();
                Self::conflict(message.clone()).field(Field::Name, &message)
            }
            WebhookError::TooMany { .. } => Self::new(&kind::FULL, error.to_string()),
            WebhookError::Stale(current) => Self::new(
                &kind::STALE,
                format!(
                    "It was saved by {} and has version {} now. Read it again before changing it.",
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
    fn only_what_is_not_stored_says_so() {
        let away = Problem::from(StoreError::unavailable("gone"));
        assert!(away.detail.contains("Nothing was stored"));
        let unread = StoreError::unavailable("gone");
        for done in [
            Problem::from(StoreError::Unconfirmed),
            Problem::timed_out(),
            Problem::stored_but_unreadable(&unread),
        ] {
            assert_eq!(done.kind.name, "unconfirmed");
            assert_eq!(done.kind.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(!done.detail.contains("Nothing"), "{}", done.detail);
        }
    }
}
