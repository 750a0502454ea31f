//! The kinds of problems, with their titles and advice.

use axum::http::StatusCode;

/// A kind of problem.
#[derive(Debug)]
pub(super) struct Kind {
    /// Last part of the problem's `type`.
    pub(super) name: &'static str,
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    /// Advice in the API description.
    pub(super) advice: &'static str,
}

/// All kinds, in the order of the API description.
pub(super) const KINDS: [&Kind; 16] = [
    &MALFORMED,
    &KEY,
    &SCOPE,
    &NOT_FOUND,
    &METHOD,
    &CONFLICT,
    &FULL,
    &STALE,
    &TOO_LARGE,
    &ENCODING,
    &INVALID,
    &RATE_LIMIT,
    &BUSY,
    &INTERNAL,
    &UNAVAILABLE,
    &UNCONFIRMED,
];

pub(super) const MALFORMED: Kind = Kind {
    name: "malformed",
    status: StatusCode::BAD_REQUEST,
    title: "Malformed request",
    advice: "The body is not valid JSON, or a field is missing, unknown or of the wrong type. Do not retry unchanged.",
};

pub(super) const KEY: Kind = Kind {
    name: "key",
    status: StatusCode::UNAUTHORIZED,
    title: "Invalid API key",
    advice: "Send `Authorization: Bearer KEY` with a key that is not expired or revoked.",
};

pub(super) const SCOPE: Kind = Kind {
    name: "scope",
    status: StatusCode::FORBIDDEN,
    title: "Missing scope",
    advice: "Use an API key with the scope that the endpoint requires.",
};

pub(super) const NOT_FOUND: Kind = Kind {
    name: "not-found",
    status: StatusCode::NOT_FOUND,
    title: "Not found",
    advice: "The endpoint or the id is unknown, or the resource was deleted or belongs to another account.",
};

pub(super) const METHOD: Kind = Kind {
    name: "method",
    status: StatusCode::METHOD_NOT_ALLOWED,
    title: "Method not allowed",
    advice: "Use a method from the `Allow` header.",
};

pub(super) const CONFLICT: Kind = Kind {
    name: "conflict",
    status: StatusCode::CONFLICT,
    title: "Conflict",
    advice: "The request conflicts with existing data. Choose another name or id, or follow `detail`.",
};

pub(super) const FULL: Kind = Kind {
    name: "full",
    status: StatusCode::CONFLICT,
    title: "Webhook limit reached",
    advice: "The account has the maximum number of webhooks. Delete one, or raise `CALEIDA_MAX_WEBHOOKS`.",
};

pub(super) const STALE: Kind = Kind {
    name: "stale",
    status: StatusCode::PRECONDITION_FAILED,
    title: "Version conflict",
    advice: "The resource was changed after the version that you sent. Read it again before changing it.",
};

pub(super) const TOO_LARGE: Kind = Kind {
    name: "too-large",
    status: StatusCode::PAYLOAD_TOO_LARGE,
    title: "Too large",
    advice: "Send a smaller request. `detail` states the limit.",
};

pub(super) const ENCODING: Kind = Kind {
    name: "encoding",
    status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
    title: "Unsupported encoding",
    advice: "The body is compressed. Send it uncompressed, without `Content-Encoding`.",
};

pub(super) const INVALID: Kind = Kind {
    name: "invalid",
    status: StatusCode::UNPROCESSABLE_ENTITY,
    title: "Invalid fields",
    advice: "`errors` states what is expected for each invalid field or parameter.",
};

pub(super) const RATE_LIMIT: Kind = Kind {
    name: "rate-limit",
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Rate limit exceeded",
    advice: "Wait for the seconds in `Retry-After`, then retry.",
};

pub(super) const BUSY: Kind = Kind {
    name: "busy",
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Server overloaded",
    advice: "The server receives more events than it can store. Wait for the seconds in `Retry-After`, then retry unchanged.",
};

pub(super) const INTERNAL: Kind = Kind {
    name: "internal",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Internal error",
    advice: "A bug in the server. Report the response’s `x-request-id` header to the operator.",
};

pub(super) const UNAVAILABLE: Kind = Kind {
    name: "unavailable",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Temporarily unavailable",
    advice: "The database is unavailable, and nothing was stored. Wait for the seconds in `Retry-After`, then retry.",
};

pub(super) const UNCONFIRMED: Kind = Kind {
    name: "unconfirmed",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Not confirmed",
    advice: "The change is stored or may be stored, see `detail`. Check before retrying. Publishing is safe to retry with \
             the same id or idempotency key.",
};

impl Kind {
    /// Returns the problem's `type`.
    pub(super) fn uri(&self) -> String {
        format!("urn:caleida:problem:{}", self.name)
    }
}
