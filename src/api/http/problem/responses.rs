//! Problems as the answers of calls, for their description. A call lists those that it can give.

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

/// What any call with a key can come to.
pub(crate) struct CommonErrors;
/// A path with an id.
pub(crate) struct NotFound;
/// A body that is read.
pub(crate) struct InvalidBody;
/// Fields or parameters whose values can be impossible.
pub(crate) struct InvalidFields;
/// What does not go with what is there.
pub(crate) struct Conflict;
/// The same, and an account with a limit.
pub(crate) struct ConflictOrLimit;
/// What more can be too much for than for the caller's limit. To be named after [`CommonErrors`], whose 429 it replaces.
pub(crate) struct RateLimitOrBusy;
/// A version that can be old.
pub(crate) struct PreconditionFailed;

macro_rules! answers {
    ($($answers:ident: $($kind:ident)|+;)*) => {
        $(impl IntoResponses for $answers {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                answer(&[$(&kind::$kind),+])
            }
        })*
    };
}

answers! {
    CommonErrors: KEY | SCOPE | RATE_LIMIT | INTERNAL | UNAVAILABLE | UNCONFIRMED;
    RateLimitOrBusy: RATE_LIMIT | BUSY;
    NotFound: NOT_FOUND;
    InvalidBody: MALFORMED | TOO_LARGE;
    InvalidFields: INVALID;
    Conflict: CONFLICT;
    ConflictOrLimit: CONFLICT | FULL;
    PreconditionFailed: STALE;
}

/// One answer for each status, which says which kinds have it.
fn answer(kinds: &[&Kind]) -> BTreeMap<String, RefOr<Response>> {
    let mut texts = BTreeMap::<StatusCode, Vec<String>>::new();
    for kind in kinds {
        let text = format!("`{}`: {}", kind.name, kind.what_to_do);
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

/// What the answers refer to.
pub(crate) fn schemas() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![("Problem".to_owned(), ProblemView::schema())];
    ProblemView::schemas(&mut schemas);
    schemas
}

/// The schema of a problem’s `type`.
pub(super) fn kinds() -> RefOr<Schema> {
    let meanings = KINDS.map(|kind| {
        let status = kind.status.as_u16();
        format!("{status}, {}. {}", kind.title, kind.what_to_do)
    });
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("What programs tell problems apart by."))
        .enum_values(Some(KINDS.map(Kind::uri)))
        .extensions(Some(
            ExtensionsBuilder::new()
                .add("x-enum-descriptions", meanings)
                .build(),
        ))
        .examples([kind::INVALID.uri()])
        .build()
        .into()
}
