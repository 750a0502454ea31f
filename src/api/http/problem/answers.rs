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
pub(crate) struct AnyTime;
/// A path with an id.
pub(crate) struct Unknown;
/// A body that is read.
pub(crate) struct BadBody;
/// Fields or parameters whose values can be impossible.
pub(crate) struct BadFields;
/// What does not go with what is there.
pub(crate) struct Conflicting;
/// The same, and an account with a limit.
pub(crate) struct Full;
/// What more can be too much for than for the caller's limit. To be named after [`AnyTime`], whose 429 it replaces.
pub(crate) struct Overloaded;
/// A version that can be old.
pub(crate) struct Stale;

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
    AnyTime: KEY | SCOPE | RATE_LIMIT | INTERNAL | UNAVAILABLE | UNCONFIRMED;
    Overloaded: RATE_LIMIT | BUSY;
    Unknown: NOT_FOUND;
    BadBody: MALFORMED | TOO_LARGE;
    BadFields: INVALID;
    Conflicting: CONFLICT;
    Full: CONFLICT | FULL;
    Stale: STALE;
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
