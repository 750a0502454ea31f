//! The address at which the browser opened the dashboard: for links, and to reject requests that other sites caused.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::csrf::{CsrfLayer, ProtectionError, ProtectionErrorKind};

use crate::{
    domain::PublicUrl,
    ui::{PageError, Ui},
};

/// Maximum number of characters of a header in a log line.
const MAX_LOGGED: usize = 200;

/// Returns the URL of the dashboard for links: the configured one, else the address in the browser.
pub fn public_url(ui: &Ui, parts: &Parts) -> PublicUrl {
    ui.public_url
        .clone()
        .or_else(|| sent_from(&parts.headers))
        .or_else(|| sent_to(parts))
        .unwrap_or_else(|| ui.local_url.clone())
}

/// Returns the origin of the page that sent a form, which only the browser sets. The CSRF layer has checked it.
fn sent_from(headers: &HeaderMap) -> Option<PublicUrl> {
    headers.get(header::ORIGIN)?.to_str().ok()?.parse().ok()
}

/// Returns the address to which the request was sent: as a trusted proxy reports it, which the server stores as an
/// extension, or from `Host`.
fn sent_to(parts: &Parts) -> Option<PublicUrl> {
    let reported = parts.extensions.get::<PublicUrl>().cloned();
    reported.or_else(|| {
        let host = parts.headers.get(header::HOST)?.to_str().ok()?;
        format!("http://{host}").parse().ok()
    })
}

type Rejection = fn(ProtectionError) -> Response;

/// Returns the layer that rejects requests which other sites made the browser send.
///
/// A request passes if `Sec-Fetch-Site` says that it comes from this site. Browsers send this header only to https and
/// loopback. Without it, `Origin` must be the public URL, or name the same host and port as `Host`.
pub fn reject_others(public_url: Option<&PublicUrl>) -> CsrfLayer<Rejection> {
    let layer = CsrfLayer::new().with_rejection_response::<Rejection>(|error| {
        match error.kind() {
            ProtectionErrorKind::CrossOriginRequestFromOldBrowser => PageError::OtherOrigin,
            _ => PageError::CrossSite,
        }
        .into_response()
    });
    match public_url {
        Some(url) => layer
            .add_trusted_origin(url.as_str())
            .expect("a public URL is a valid origin"),
        None => layer,
    }
}

/// Middleware that logs which addresses differ when a request is rejected, so that the operator can tell an attack from
/// a proxy that changes `Host`.
pub async fn log_rejection(request: Request, next: Next) -> Response {
    if [Method::GET, Method::HEAD].contains(request.method()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let text = |name| {
        let value = parts.headers.get(name).map(HeaderValue::as_bytes);
        let text = String::from_utf8_lossy(value.unwrap_or_default());
        text.chars().take(MAX_LOGGED).collect::<String>()
    };
    let origin = text(header::ORIGIN);
    let received = sent_to(&parts).map_or_else(|| text(header::HOST), |url| url.to_string());
    let response = next.run(Request::from_parts(parts, body)).await;
    match response.extensions().get().map(ProtectionError::kind) {
        Some(ProtectionErrorKind::CrossOriginRequestFromOldBrowser) => tracing::warn!(
            ?origin,
            ?received,
            "request from another origin rejected: if origin is the dashboard's address, set CALEIDA_PUBLIC_URL to it"
        ),
        Some(_) => tracing::warn!(?origin, ?received, "cross-site request rejected"),
        None => {}
    }
    response
}
