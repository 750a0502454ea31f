//! The OpenAPI 3.1 description of all endpoints, and the endpoint that serves it.

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

use super::{
    AUDIT_LOG, Api, DELIVERIES, DESCRIPTION, EVENTS, RECOVERIES, WEBHOOKS, endpoints,
    http::{problem, schema},
};
use crate::domain::PublicUrl;

/// The OpenAPI description, parsed and serialized.
pub struct Document {
    pub description: Arc<OpenApi>,
    /// The description as JSON.
    pub bytes: Bytes,
    etag: String,
}

impl Document {
    /// Builds the description. `public_url` is the server's URL as clients see it.
    pub fn new(public_url: &PublicUrl) -> Self {
        let router = OpenApiRouter::with_openapi(base(public_url)).nest("/api/v1", endpoints());
        let description = router.into_openapi();
        let bytes = serde_json::to_vec(&description).expect("an OpenAPI description serializes to JSON");
        let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest(&bytes)[..12]);
        Self {
            description: Arc::new(description),
            bytes: bytes.into(),
            etag: format!("\"{hash}\""),
        }
    }

    /// Returns the description as JSON text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).expect("JSON is UTF-8")
    }
}

/// The description without the endpoints.
fn base(public_url: &PublicUrl) -> OpenApi {
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
    components.schemas.extend(schema::referenced());
    let tags = TAGS.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build());
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new(public_url.as_str())]))
        .tags(Some(tags))
        .components(Some(components))
        .build()
}

const INTRODUCTION: &str = "\
Request and response bodies are JSON. Request bodies are parsed as JSON regardless of `Content-Type`. Unknown fields \
and query parameters are rejected, so a misspelled name is never ignored silently. Responses may gain new fields at any \
time: ignore fields that you do not know.

**Authentication.** Send `Authorization: Bearer KEY`. Requests for resources of other accounts get 404.

**Errors** are `application/problem+json` (RFC 9457) with `type`, `title`, `status` and `detail`, and `errors` with one \
entry per invalid field. Distinguish errors by `type`.

**Pagination.** Lists return at most `limit` entries, and a `next_cursor` if there may be more. Pass it as `cursor`, with \
the same filters, to get the next page. Cursors stay valid while new entries arrive. They are opaque: do not construct them.

**Retries.** `GET`, `DELETE` and `PATCH` with a version are safe to retry. If a `PATCH` already succeeded, its retry gets \
412; if a `DELETE` did, 404. An event with an `id` or an `Idempotency-Key` is published once, however often it is sent.

**Limits.** A request body can be up to 256 KiB, a batch of events up to 8 MiB. Each API key can make 100 requests per \
second, not counting publishing, unless `CALEIDA_API_RATE_LIMIT` is set. The `RateLimit-Policy` and `RateLimit` headers \
show the limit and what remains of it. Requests over the limit get 429 with `Retry-After`. In a cluster, each process \
counts separately.";

const SCOPES: &str = "\
An API key. Scopes: `events:write` publishes events. `webhooks:read` reads webhooks, events and deliveries. \
`webhooks:write` changes webhooks, reads their secrets, sends test events, and resends and recovers deliveries. \
`audit:read` reads the audit log. Keys without `webhooks:write` see only the beginning of the URLs of webhooks, which can \
contain tokens, and search only their hosts. Each endpoint states the scope that it requires.";

const TAGS: [(&str, &str); 6] = [
    (EVENTS, "Publish events, and read the events that were received."),
    (
        WEBHOOKS,
        "Destinations: a URL, a secret, and the event types they are subscribed to.",
    ),
    (RECOVERIES, "Resend events that a webhook missed."),
    (DELIVERIES, "One event for one webhook, with its attempts."),
    (AUDIT_LOG, "Changes made by users and API keys."),
    (DESCRIPTION, "This description."),
];

/// Get this description
///
/// Returns the API description as OpenAPI 3.1. Requires no API key. The response can be cached.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "showDescription", tag = DESCRIPTION, security(()),
    responses((status = 200, description = "The OpenAPI description.", body = Object, headers(
        ("ETag" = String, description = "Entity tag, for `If-None-Match`."),
    )))
)]
pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Response {
    let Document { bytes, etag, .. } = &*api.document;
    let caching = [
        (header::ETAG, etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    let if_none_match = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    // Proxies that compress responses make entity tags weak.
    let is_current = if_none_match.is_some_and(|value| value.trim_start_matches("W/") == etag);
    if is_current {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (
        caching,
        [(header::CONTENT_TYPE, "application/json")],
        bytes.clone(),
    )
        .into_response()
}
