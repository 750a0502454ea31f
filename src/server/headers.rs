//! Default security and caching headers of every response.

use std::sync::Arc;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

/// Headers added to responses that do not set them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Headers(Arc<[(HeaderName, HeaderValue)]>);

/// Content security policy of responses that are not pages: browsers must not run or embed anything in them.
const DEFAULT_CSP: &str = "default-src 'none'; frame-ancestors 'none'";

/// Disables browser features that the dashboard does not use. It uses writing to the clipboard.
const NO_PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), \
     fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), \
     picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), sync-xhr=(), usb=(), \
     xr-spatial-tracking=()";

/// Browsers use only https for one year.
const HSTS: &str = "max-age=31536000";

impl Headers {
    /// Creates the headers, with HSTS if `https` is true.
    pub(super) fn new(https: bool) -> Self {
        let always = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CONTENT_SECURITY_POLICY, DEFAULT_CSP),
            // For browsers without support for frame-ancestors.
            (header::X_FRAME_OPTIONS, "DENY"),
            // Not no-referrer: forms without JavaScript use the referrer to return to their page.
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
            // Cacheable responses set their own value.
            (header::CACHE_CONTROL, "no-store"),
        ];
        let https = https.then_some((header::STRICT_TRANSPORT_SECURITY, HSTS));
        let all = always.into_iter().chain(https);
        Self(
            all.map(|(name, value)| (name, HeaderValue::from_static(value)))
                .collect(),
        )
    }

    /// Adds the headers that the response does not set.
    pub(super) fn add_missing<B>(&self, mut response: Response<B>) -> Response<B> {
        let present = response.headers_mut();
        for (name, value) in &*self.0 {
            if !present.contains_key(name) {
                present.insert(name, value.clone());
            }
        }
        response
    }
}
