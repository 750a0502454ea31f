//! The description of all calls, as OpenAPI 3.1.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use utoipa::openapi::{
    Components, InfoBuilder, License, OpenApi, OpenApiBuilder, Server,
    security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    tag::TagBuilder,
};
use utoipa_axum::router::OpenApiRouter;

use super::{AUDIT_LOG, Api, DELIVERIES, DESCRIPTION, EVENTS, RECOVERIES, WEBHOOKS, calls, http::problem};

/// The description, ready to be served.
pub struct Document {
    pub description: Arc<OpenApi>,
    /// As it is served.
    pub bytes: Bytes,
    tag: String,
}

impl Document {
    /// `public_url` is where the calls are, as their callers see it.
    pub fn new(public_url: &str) -> Self {
        let described = OpenApiRouter::with_openapi(frame(public_url)).nest("/api/v1", calls());
        let description = described.into_openapi();
        let bytes = serde_json::to_vec(&description).expect("a description is JSON");
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..12]);
        Self {
            description: Arc::new(description),
            bytes: bytes.into(),
            tag: format!("\"{hash}\""),
        }
    }

    /// As it is served.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("JSON is text")
    }
}

/// All but the calls.
fn frame(public_url: &str) -> OpenApi {
    let info = InfoBuilder::new()
        .title("Caleida webhooks")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .license(Some(License::new("MIT OR Apache-2.0")))
        .build();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("ck_…")
        .description(Some(SCOPES))
        .build();
    let mut components = Components::new();
    components.add_security_scheme("bearer", SecurityScheme::Http(key));
    components.schemas.extend(problem::schemas());
    let tags = TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build());
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(public_url.trim_end_matches('/'))]))
        .tags(Some(tags))
        .components(Some(components))
        .build()
}

const INTRODUCTION: &str = "\
JSON in, JSON out. A request’s body is read as JSON whatever its `Content-Type` says; fields and query parameters that are \
not described here are refused, so that a slip in a name is no silent surprise. Answers may get new fields at any time: \
ignore what you do not know.

**Keys.** `Authorization: Bearer KEY`. What belongs to another account is answered like what does not exist.

**Errors** are `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, and `errors` for each field \
that is wrong. Tell them apart by `type`.

**Pages.** Lists answer `limit` entries at most and a `next_cursor` if there are more: ask for the same list with it as \
`cursor`. Cursors stay valid while new entries arrive. Do not make them up.

**Repeating.** Every `GET`, `PATCH` with a version and `DELETE` can be repeated as it is; what was done already is answered \
with 412 or 404. Events are published once under their `id` or `Idempotency-Key`, however often they are sent.

**Limits.** A body may have 256 KiB, a batch of events 8 MiB. A key may make 100 calls a second besides publishing, unless \
`CALEIDA_API_RATE_LIMIT` says otherwise: `RateLimit-Policy` and `RateLimit` tell what is left, and beyond it the answer is 429 \
with `Retry-After`. Each process of a cluster counts for itself.";

const SCOPES: &str = "\
An API key. `events:write` publishes events; `webhooks:read` sees webhooks, events and deliveries; `webhooks:write` changes \
webhooks, sends tests, resends and recovers, and reads secrets; `audit:read` reads the audit log. Each call names the scope that it needs.";

const TAGS: [(&str, &str); 6] = [
    (EVENTS, "What happened, and was published."),
    (
        WEBHOOKS,
        "Who is told: a URL, a secret, and the events that it wants.",
    ),
    (RECOVERIES, "Sending what a webhook has missed."),
    (DELIVERIES, "What became of each event at each webhook."),
    (AUDIT_LOG, "Who did what, when, and from where."),
    (DESCRIPTION, "This description."),
];

/// Show this description
///
/// OpenAPI 3.1. It needs no key, and may be cached.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "showDescription", tag = DESCRIPTION, security(()),
    responses((status = 200, description = "The description.", body = Object, headers(
        ("ETag" = String, description = "Changes with it, for `If-None-Match`."),
    )))
)]
pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Response {
    let Document { bytes, tag, .. } = &*api.document;
    let caching = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    // A proxy that compresses makes a tag weak.
    let known = known.is_some_and(|known| known.trim_start_matches("W/") == tag);
    if known {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (
        caching,
        [(header::CONTENT_TYPE, "application/json")],
        bytes.clone(),
    )
        .into_response()
}
