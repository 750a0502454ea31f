//! Problem responses in the API description. Each endpoint lists the ones that it can return.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::{
    IntoResponses, PartialSchema, ToSchema,
    openapi::{
        ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Schema,
        extensions::ExtensionsBuilder, schema::Type,
    },
};

use super::{
    ProblemView,
    kind::{self, KINDS, Kind},
};

/// Problems of every endpoint that requires an API key.
pub(crate) struct CommonErrors;
/// Problems of endpoints with an id in the path.
pub(crate) struct NotFound;
/// Problems of endpoints with a request body.
pub(crate) struct InvalidBody;
/// Problems of endpoints that validate fields or parameters.
pub(crate) struct InvalidFields;
/// Problems of endpoints that can conflict with existing data.
pub(crate) struct Conflict;
/// [`Conflict`], and the limit of webhooks per account.
pub(crate) struct ConflictOrLimit;
/// 429 because of the caller's rate limit or because the server is overloaded. List it after [`CommonErrors`], whose
/// 429 it replaces.
pub(crate) struct RateLimitOrBusy;
/// Problems of endpoints with `If-Match`.
pub(crate) struct PreconditionFailed;

macro_rules! responses {
    ($($responses:ident: $($kind:ident)|+;)*) => {
        $(impl IntoResponses for $responses {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                by_status(&[$(&kind::$kind),+])
            }
        })*
    };
}

responses! {
    CommonErrors: KEY | SCOPE | RATE_LIMIT | INTERNAL | UNAVAILABLE | UNCONFIRMED;
    RateLimitOrBusy: RATE_LIMIT | BUSY;
    NotFound: NOT_FOUND;
    InvalidBody: MALFORMED | TOO_LARGE | ENCODING;
    InvalidFields: INVALID;
    Conflict: CONFLICT;
    ConflictOrLimit: CONFLICT | FULL;
    PreconditionFailed: STALE;
}

/// Returns one response per status, with the advice of all kinds that have this status.
fn by_status(kinds: &[&Kind]) -> BTreeMap<String, RefOr<Response>> {
    let mut texts = BTreeMap::<StatusCode, Vec<String>>::new();
    for kind in kinds {
        let text = format!("`{}`: {}", kind.name, kind.advice);
        texts.entry(kind.status).or_default().push(text);
    }
    texts
        .into_iter()
        .map(|(status, texts)| {
            (
                status.as_str().to_owned(),
                response(status, texts.join(" ")).into(),
            )
        })
        .collect()
}

fn response(status: StatusCode, text: String) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem")));
    let response = ResponseBuilder::new()
        .description(text)
        .content("application/problem+json", content.build());
    match status {
        StatusCode::UNAUTHORIZED => response.header("WWW-Authenticate", header(Type::String, "`Bearer`")),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            response.header("Accept-Encoding", header(Type::String, "`identity`"))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            response.header("Retry-After", header(Type::Integer, "Seconds to wait."))
        }
        _ => response,
    }
    .build()
}

pub(crate) fn header(schema: Type, text: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(schema)))
        .description(Some(text))
        .build()
}

/// Returns the schemas that the responses refer to.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![("Problem".to_owned(), ProblemView::schema())];
    ProblemView::schemas(&mut schemas);
    schemas
}

/// Returns the schema of a problem’s `type`.
pub(super) fn type_schema() -> RefOr<Schema> {
    let descriptions = KINDS.map(|kind| {
        let status = kind.status.as_u16();
        format!("{status}, {}. {}", kind.title, kind.advice)
    });
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Identifies the kind of error."))
        .enum_values(Some(KINDS.map(Kind::uri)))
        .extensions(Some(
            ExtensionsBuilder::new()
                .add("x-enum-descriptions", descriptions)
                .build(),
        ))
        .examples([kind::INVALID.uri()])
        .build()
        .into()
}
