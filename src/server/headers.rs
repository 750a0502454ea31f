//! What every answer tells browsers, unless it says something else by itself.

use std::sync::Arc;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Headers(Arc<[(HeaderName, HeaderValue)]>);

/// Of what is no page: nothing in it may be run or shown as one.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Everything that asks for a person's attention or reads of their machine; what we use ourselves, writing to the
/// clipboard, stays.
const NO_PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
     fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
     picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(), usb=(), \
     xr-spatial-tracking=()";

/// A year: browsers that have seen it come back by https only.
const HTTPS_ONLY: &str = "max-age=31536000";

impl Headers {
    pub(super) fn new(https: bool) -> Self {
        let always = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CONTENT_SECURITY_POLICY, NOTHING),
            // For those who do not know frame-ancestors.
            (header::X_FRAME_OPTIONS, "DENY"),
            // Not no-referrer: forms without script come back by it.
            (header::REFERRER_POLICY, "same-origin"),
            (HeaderName::from_static("permissions-policy"), NO_PERMISSIONS),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
            ),
            // What may be kept says so.
            (header::CACHE_CONTROL, "no-store"),
        ];
        let https = https.then_some((header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY));
        let all = always.into_iter().chain(https);
        Self(
            all.map(|(name, value)| (name, HeaderValue::from_static(value)))
                .collect(),
        )
    }
}

impl Headers {
    /// Adds what the response does not say by itself.
    pub(super) fn complete<B>(&self, mut response: Response<B>) -> Response<B> {
        let present = response.headers_mut();
        for (name, value) in &*self.0 {
            if !present.contains_key(name) {
                present.insert(name, value.clone());
            }
        }
        response
    }
}
