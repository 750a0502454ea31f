//! `/pkg`: the built scripts, wasm and styles of the dashboard. Their names contain a hash of the content.
//!
//! Every process stores its files in the database, and serves those of other versions from there. So a page finds its
//! files while processes of several versions run behind a load balancer, and in a tab that was opened before an upgrade.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower::service_fn;
use tower_http::services::ServeDir;

use super::site::SiteFolder;
use crate::{
    domain::Clock,
    store::{Asset, Store},
};

/// Interval at which a process confirms that it has its files.
const CONFIRM_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// Number of hexadecimal digits of the hash in a name.
const HASH_DIGITS: usize = 16;

/// Confirms the files until it is dropped.
pub(super) async fn confirm(store: Arc<Store>, clock: Arc<dyn Clock>, assets: Vec<Asset>) {
    loop {
        tokio::time::sleep(CONFIRM_INTERVAL).await;
        if let Err(error) = store.keep_assets(&assets, clock.now()).await {
            tracing::warn!(%error, "failed to confirm the dashboard's files, will retry");
        }
    }
}

/// Returns the router of the files. Those in the folder are precompressed.
pub(super) fn router(site: &SiteFolder, store: &Arc<Store>) -> Router {
    let store = Arc::clone(store);
    let of_other_versions = service_fn(move |request: Request| {
        let store = Arc::clone(&store);
        async move { Ok::<_, Infallible>(stored(&store, request.uri()).await) }
    });
    let files = ServeDir::new(site.root.join("pkg"))
        .precompressed_br()
        .precompressed_gzip()
        .fallback(of_other_versions);
    Router::new()
        .fallback_service(files)
        .layer(middleware::from_fn(set_caching))
}

async fn stored(store: &Store, uri: &Uri) -> Response {
    let name = uri.path().trim_start_matches('/');
    let Some(content_type) = content_type(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match store.asset(name).await {
        Ok(Some(content)) => (
            [
                (header::CONTENT_TYPE, content_type),
                // Browsers that run the dashboard accept it.
                (header::CONTENT_ENCODING, "gzip"),
                (header::VARY, "accept-encoding"),
            ],
            content,
        )
            .into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::warn!(%error, "failed to read a file of the dashboard");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// Returns the media type of a built file, or `None` if the name cannot be that of one. So other names cost no query.
fn content_type(name: &str) -> Option<&'static str> {
    let (stem, extension) = name.strip_prefix("caleida-")?.split_once('.')?;
    let hash = stem.strip_suffix("_bg").unwrap_or(stem);
    let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    match extension {
        _ if !is_hash => None,
        "js" => Some("text/javascript"),
        "wasm" => Some("application/wasm"),
        "css" => Some("text/css"),
        _ => None,
    }
}

async fn set_caching(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let value = match response.status() {
        StatusCode::NOT_MODIFIED => "public, max-age=31536000, immutable",
        status if status.is_success() => "public, max-age=31536000, immutable",
        // The process that has the file may be starting.
        _ => "no-store",
    };
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(value));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_built_files_have_a_media_type() {
        for (name, expected) in [
            ("caleida-8f48273c4caa03d9.css", Some("text/css")),
            ("caleida-d19f7625b2c2ad4e.js", Some("text/javascript")),
            ("caleida-d19f7625b2c2ad4e_bg.wasm", Some("application/wasm")),
            ("caleida.css", None),
            ("caleida-8f48273c4caa03d.css", None),
            ("caleida-8f48273c4caa03dg.css", None),
            ("caleida-8f48273c4caa03d9.css.gz", None),
            ("caleida-8f48273c4caa03d9.html", None),
            ("../caleida-8f48273c4caa03d9.css", None),
            ("", None),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }
}
