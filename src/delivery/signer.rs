//! The three headers by which a receiver knows that a call is ours: Standard Webhooks 1.0. What they say is in
//! [`signature`](crate::domain::signature).

use reqwest::header::HeaderName;

pub use crate::domain::signature::{VerifyError, sign, verify};

/// The event's id, the same on every attempt.
pub const ID_HEADER: HeaderName = HeaderName::from_static("webhook-id");
/// Unix seconds of the attempt.
pub const TIMESTAMP_HEADER: HeaderName = HeaderName::from_static("webhook-timestamp");
/// What [`sign`] gives.
pub const SIGNATURE_HEADER: HeaderName = HeaderName::from_static("webhook-signature");
