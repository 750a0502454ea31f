//! Errors as `application/problem+json` (RFC 9457), with the fields that are wrong.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    auth::KeyError,
    delivery::{gate::GateError, intake::PublishError, tester::TestError},
    domain::{Field, FieldErrors},
    store::StoreError,
    webhooks::WebhookError,
};

/// Why a call was refused, and what to do about it.
#[derive(Debug, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    detail: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// Seconds until it makes sense to try again.
    #[serde(skip)]
    retry_after: Option<u32>,
}

#[derive(Debug, Serialize)]
struct FieldProblem {
    field: String,
    message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title,
            status,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// 400: the request cannot be read at all.
    pub fn malformed(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "urn:caleida:problem:malformed",
            "Malformed request",
            detail,
        )
    }

    /// 422: it can be read, but this field says something impossible.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        Self {
            errors: vec![FieldProblem {
                field,
                message: message.clone(),
            }],
            ..Self::invalid_fields(message)
        }
    }

    fn invalid_fields(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "urn:caleida:problem:invalid",
            "Invalid fields",
            detail,
        )
    }

    /// 404: also for what belongs to another account.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "urn:caleida:problem:not-found",
            "Not found",
            detail,
        )
    }

    /// 405
    pub fn method_not_allowed() -> Self {
        let detail = "This path takes other methods.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "urn:caleida:problem:method",
            "Method not allowed",
            detail,
        )
    }

    /// 409: what should be new exists.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "urn:caleida:problem:conflict",
            "Conflict",
            detail,
        )
    }

    /// 412: it was changed since the version that the caller knows.
    pub fn stale(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "urn:caleida:problem:stale",
            "Changed in the meantime",
            detail,
        )
    }

    /// 413
    pub fn too_large(limit: usize) -> Self {
        let detail = format!("The body is larger than {} KiB.", limit / 1024);
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "urn:caleida:problem:too-large",
            "Too large",
            detail,
        )
    }

    /// 429 and 503: nothing is stored, the same call will do later.
    fn later(status: StatusCode, detail: &str, seconds: u32) -> Self {
        let problem = Self::new(status, "urn:caleida:problem:busy", "Try again later", detail);
        Self {
            retry_after: Some(seconds),
            ..problem
        }
    }

    fn field(mut self, field: Field, message: &str) -> Self {
        self.errors.push(FieldProblem {
            field: field.to_string(),
            message: message.to_owned(),
        });
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("texts and numbers are JSON");
        let mut response = (
            self.status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body,
        )
            .into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let detail = error.to_string();
        match error {
            KeyError::Invalid => Self::new(
                StatusCode::UNAUTHORIZED,
                "urn:caleida:problem:key",
                "No valid API key",
                detail,
            ),
            KeyError::MissingScope(_) => Self::new(
                StatusCode::FORBIDDEN,
                "urn:caleida:problem:scope",
                "Not allowed",
                detail,
            ),
            KeyError::Unavailable(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    /// 503 for what may pass, 500 for what will not; the database's words only reach the log.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a call failed in the store");
        match error {
            StoreError::Unavailable(_) | StoreError::Open(_) => Self::later(
                StatusCode::SERVICE_UNAVAILABLE,
                "The database does not take this just now. Nothing was stored.",
                2,
            ),
            StoreError::Conflict | StoreError::Corrupt(_) => internal(),
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
                StatusCode::TOO_MANY_REQUESTS,
                "More events are coming in than the disk takes. Nothing of this request is stored.",
                1,
            ),
            PublishError::Store(error) => match &*error {
                StoreError::Unavailable(_) => Self::later(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The database does not take events just now. Nothing of this request is stored.",
                    2,
                ),
                _ => internal(),
            },
        }
    }
}

impl From<TestError> for Problem {
    fn from(error: TestError) -> Self {
        match error {
            TestError::NotFound => Self::not_found("There is no such webhook."),
            TestError::TooMany => Self::later(StatusCode::TOO_MANY_REQUESTS, &error.to_string(), 10),
            TestError::Gate(GateError::Store(error)) => error.into(),
            TestError::Gate(GateError::Vault(_)) | TestError::Fenced => {
                tracing::error!(%error, "a test could not be sent");
                Self::later(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Nothing can be sent just now.",
                    2,
                )
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
            WebhookError::Stale(current) => Self::stale(format!(
                "It was saved by {} and has version {} now. Read it again before changing it.",
                current.updated_by, current.version
            )),
            WebhookError::NotFound => Self::not_found("There is no such webhook."),
            WebhookError::Store(error) => error.into(),
            WebhookError::Vault(error) => {
                tracing::error!(%error, "a secret cannot be opened");
                internal()
            }
        }
    }
}

fn from_fields(errors: &FieldErrors) -> Problem {
    let problem = Problem::invalid_fields("See the message for each field.");
    errors
        .iter()
        .fold(problem, |problem, (field, message)| problem.field(field, message))
}

/// 500: a fault of ours, whose details are in the log.
fn internal() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "urn:caleida:problem:internal",
        "Internal error",
        "Something went wrong here. It has been logged.",
    )
}
