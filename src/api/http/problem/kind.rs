//! The kinds of problems: what each is called, and what to do about it.

use axum::http::StatusCode;

/// What a program can tell problems apart by.
#[derive(Debug)]
pub(super) struct Kind {
    /// The end of its `type`.
    pub(super) name: &'static str,
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    /// For the documentation.
    pub(super) what_to_do: &'static str,
}

/// All of them, in the order of the documentation.
pub(super) const KINDS: [&Kind; 15] = [
    &MALFORMED,
    &KEY,
    &SCOPE,
    &NOT_FOUND,
    &METHOD,
    &CONFLICT,
    &FULL,
    &STALE,
    &TOO_LARGE,
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
    what_to_do: "The body is not valid JSON, or a field is missing, unknown or of the wrong type. Retrying it unchanged fails again.",
};

pub(super) const KEY: Kind = Kind {
    name: "key",
    status: StatusCode::UNAUTHORIZED,
    title: "No valid API key",
    what_to_do: "Send `Authorization: Bearer KEY` with a key that was not revoked.",
};

pub(super) const SCOPE: Kind = Kind {
    name: "scope",
    status: StatusCode::FORBIDDEN,
    title: "Not allowed",
    what_to_do: "Use a key with the scope that the call needs.",
};

pub(super) const NOT_FOUND: Kind = Kind {
    name: "not-found",
    status: StatusCode::NOT_FOUND,
    title: "Not found",
    what_to_do: "Nothing in your account has this id, or it was deleted; or the endpoint is unknown.",
};

pub(super) const METHOD: Kind = Kind {
    name: "method",
    status: StatusCode::METHOD_NOT_ALLOWED,
    title: "Method not allowed",
    what_to_do: "Use a method that the header `Allow` names.",
};

pub(super) const CONFLICT: Kind = Kind {
    name: "conflict",
    status: StatusCode::CONFLICT,
    title: "Conflict",
    what_to_do: "The request conflicts with existing data: choose another name or id, or do first what `detail` says.",
};

pub(super) const FULL: Kind = Kind {
    name: "full",
    status: StatusCode::CONFLICT,
    title: "No room for more",
    what_to_do: "The account has as many webhooks as it may have: delete one, or have the limit raised.",
};

pub(super) const STALE: Kind = Kind {
    name: "stale",
    status: StatusCode::PRECONDITION_FAILED,
    title: "Changed in the meantime",
    what_to_do: "Somebody has saved it since the version that you named: read it again, and decide anew.",
};

pub(super) const TOO_LARGE: Kind = Kind {
    name: "too-large",
    status: StatusCode::PAYLOAD_TOO_LARGE,
    title: "Too large",
    what_to_do: "Send less: `detail` says how much may come at once.",
};

pub(super) const INVALID: Kind = Kind {
    name: "invalid",
    status: StatusCode::UNPROCESSABLE_ENTITY,
    title: "Invalid fields",
    what_to_do: "`errors` says of each wrong field or parameter what it should be.",
};

pub(super) const RATE_LIMIT: Kind = Kind {
    name: "rate-limit",
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Too many calls",
    what_to_do: "Wait as many seconds as `Retry-After` says, then repeat the call.",
};

pub(super) const BUSY: Kind = Kind {
    name: "busy",
    status: StatusCode::TOO_MANY_REQUESTS,
    title: "Try again later",
    what_to_do: "More is coming in than can be stored. Wait as `Retry-After` says, then repeat the call as it was.",
};

pub(super) const INTERNAL: Kind = Kind {
    name: "internal",
    status: StatusCode::INTERNAL_SERVER_ERROR,
    title: "Internal error",
    what_to_do: "That is our fault. Tell the operator the answer’s `x-request-id`.",
};

pub(super) const UNAVAILABLE: Kind = Kind {
    name: "unavailable",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Temporarily unavailable",
    what_to_do: "The database does not answer, and nothing was stored. Wait as `Retry-After` says, then repeat the call as \
                 it was.",
};

pub(super) const UNCONFIRMED: Kind = Kind {
    name: "unconfirmed",
    status: StatusCode::SERVICE_UNAVAILABLE,
    title: "Not confirmed",
    what_to_do: "It was done, or may have been; `detail` says which. Look before you repeat it. Events are safe to publish \
                 again, under the same id or key.",
};

impl Kind {
    /// Its `type`.
    pub(super) fn uri(&self) -> String {
        format!("urn:caleida:problem:{}", self.name)
    }
}
