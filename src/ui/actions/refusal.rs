//! Errors of server functions. Each reason has an HTTP status.

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    error::{FromServerFnError, ServerFnErrorErr},
};

#[cfg(feature = "ssr")]
pub use self::server::Reason;
use super::outcome::Fragment;

/// The error of a server function that changed nothing.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize))]
pub struct Refusal {
    #[cfg(feature = "ssr")]
    #[serde(rename = "error")]
    pub reason: Reason,
    /// Message for the user. Empty if the field errors are sufficient.
    pub message: String,
    /// Errors of single fields.
    pub fields: Vec<FieldError>,
    /// HTML to show instead of the message: a conflict with saved values, or a link to sign in.
    pub part: Option<Fragment>,
    /// Version that another user saved. The next attempt is based on it.
    pub version: Option<i64>,
    /// Seconds until a retry can succeed.
    pub retry_after: Option<u64>,
}

/// An error of a single field.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize))]
pub struct FieldError {
    pub name: String,
    pub message: String,
}

/// Encoding of a [`Refusal`]. The browser decodes it in [`protocol`](super::protocol).
pub struct Encoding;

impl ContentType for Encoding {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for Encoding {
    const FORMAT_TYPE: Format = Format::Text;
}

impl Encodes<Refusal> for Encoding {
    type Error = String;

    #[cfg(feature = "ssr")]
    fn encode(refusal: &Refusal) -> Result<Bytes, String> {
        let json = serde_json::to_vec(refusal).map_err(|error| error.to_string())?;
        Ok(Bytes::from(json))
    }

    #[cfg(not(feature = "ssr"))]
    fn encode(_: &Refusal) -> Result<Bytes, String> {
        unreachable!("only the server encodes refusals")
    }
}

impl Decodes<Refusal> for Encoding {
    type Error = String;

    fn decode(_: Bytes) -> Result<Refusal, String> {
        unreachable!("`FormProtocol` decodes what it receives")
    }
}

impl FromServerFnError for Refusal {
    type Encoder = Encoding;

    #[cfg(feature = "ssr")]
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // Reading the body fails only if it exceeds the limit or the connection breaks.
            ServerFnErrorErr::Deserialization(_) => Self::new(Reason::TooLarge),
            error => {
                tracing::error!(%error, "server function failed");
                Self::new(Reason::Broken)
            }
        }
    }

    #[cfg(not(feature = "ssr"))]
    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        Self {
            message: "Caleida did not respond. Your input is kept. Check your connection and try again."
                .to_owned(),
            fields: Vec::new(),
            part: None,
            version: None,
            retry_after: None,
        }
    }
}

#[cfg(feature = "ssr")]
mod server {
    use std::time::Duration;

    use axum::{
        http::{StatusCode, header},
        response::{IntoResponse, Response},
    };
    use serde::Serialize;

    use super::{FieldError, Refusal};
    use crate::{
        domain::FieldErrors,
        store::StoreError,
        ui::{PageError, components::time_ago::short_duration},
        webhooks::WebhookError,
    };

    /// Reason of a refusal. Determines the HTTP status.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Reason {
        /// 422: a field is invalid, or a limit is reached.
        Invalid,
        /// 409: another webhook has the name.
        NameTaken,
        /// 409: another user changed it since the form was opened.
        Stale,
        /// 409: it would leave the account without an admin.
        LastAdmin,
        /// 401
        SignedOut,
        /// 403
        NotAllowed,
        /// 404: does not exist, or belongs to another account.
        NotFound,
        /// 405
        WrongMethod,
        /// 413
        TooLarge,
        /// 429
        RateLimited,
        /// 503: the database is unavailable.
        Unavailable,
        /// 503: the change is stored, but not yet confirmed by every process.
        Unconfirmed,
        /// 503: the connection to the database was lost while it stored the change.
        Unknown,
        /// 500: internal error.
        Broken,
    }

    impl Reason {
        pub fn status(self) -> StatusCode {
            match self {
                Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                Self::NameTaken | Self::Stale | Self::LastAdmin => StatusCode::CONFLICT,
                Self::SignedOut => StatusCode::UNAUTHORIZED,
                Self::NotAllowed => StatusCode::FORBIDDEN,
                Self::NotFound => StatusCode::NOT_FOUND,
                Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
                Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
                Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                Self::Unavailable | Self::Unconfirmed | Self::Unknown => StatusCode::SERVICE_UNAVAILABLE,
                Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            }
        }

        /// Returns the default message.
        fn default_message(self) -> &'static str {
            match self {
                Self::Invalid | Self::NameTaken | Self::Stale | Self::LastAdmin => "",
                Self::SignedOut => {
                    "You are signed out. Sign in in another tab, then try again. Your input is kept."
                }
                Self::NotAllowed => "Your role does not allow this.",
                Self::NotFound => "This no longer exists. It may have been deleted.",
                Self::WrongMethod => "This URL only accepts POST requests.",
                Self::TooLarge => "The form is too large. Shorten your input and try again.",
                Self::RateLimited => "Too many attempts. Try again in a moment.",
                Self::Unavailable => {
                    "This is not possible at the moment. Your input is kept: try again soon."
                }
                Self::Unknown => {
                    "The connection to the database was lost while saving. The change may or may not be saved. Reload the \
                     page to check."
                }
                Self::Unconfirmed => {
                    "The change is stored but not yet confirmed by every process. Check again in a moment; you do not need \
                     to repeat it."
                }
                Self::Broken => "Something went wrong. The error has been logged. Your input is kept.",
            }
        }
    }

    impl Refusal {
        pub fn new(reason: Reason) -> Self {
            Self::with_message(reason, reason.default_message())
        }

        pub fn with_message(reason: Reason, message: impl Into<String>) -> Self {
            Self {
                reason,
                message: message.into(),
                fields: Vec::new(),
                part: None,
                version: None,
                retry_after: None,
            }
        }

        pub fn field(name: &str, message: impl Into<String>) -> Self {
            Self::new(Reason::Invalid).with_field(name, message)
        }

        pub fn with_field(mut self, name: &str, message: impl Into<String>) -> Self {
            self.fields.push(FieldError {
                name: name.to_owned(),
                message: message.into(),
            });
            self
        }

        pub fn rate_limited(retry_after: Duration) -> Self {
            // Rounded up, so that a retry after this time succeeds.
            let seconds = u64::try_from(retry_after.as_millis().div_ceil(1000))
                .unwrap_or(u64::MAX)
                .max(1);
            Self {
                retry_after: Some(seconds),
                ..Self::with_message(
                    Reason::RateLimited,
                    format!("Too many attempts. Try again in {}.", short_duration(retry_after)),
                )
            }
        }

        /// Returns the refusal for a form that cannot be parsed.
        pub fn unreadable() -> Self {
            Self::with_message(
                Reason::Invalid,
                "This form could not be read. Reload the page and fill it in again.",
            )
        }

        pub fn not_found() -> Self {
            Self::new(Reason::NotFound)
        }
    }

    impl IntoResponse for Refusal {
        fn into_response(self) -> Response {
            let no_store = [(header::CACHE_CONTROL, "no-store")];
            (self.reason.status(), no_store, axum::Json(self)).into_response()
        }
    }

    impl From<FieldErrors> for Refusal {
        fn from(errors: FieldErrors) -> Self {
            errors
                .iter()
                .fold(Self::new(Reason::Invalid), |refusal, (field, message)| {
                    refusal.with_field(field.as_str(), message)
                })
        }
    }

    impl From<StoreError> for Refusal {
        fn from(error: StoreError) -> Self {
            tracing::error!(%error, "server function failed in the store");
            Self::new(match error {
                StoreError::Unavailable(_) => Reason::Unavailable,
                StoreError::Unconfirmed => Reason::Unconfirmed,
                StoreError::CommitUnknown(_) => Reason::Unknown,
                StoreError::Conflict(_)
                | StoreError::LimitReached
                | StoreError::Corrupt(_)
                | StoreError::Bug(_)
                | StoreError::Open(_) => Reason::Broken,
            })
        }
    }

    impl From<WebhookError> for Refusal {
        fn from(error: WebhookError) -> Self {
            match error {
                WebhookError::Invalid(errors) => errors.into(),
                WebhookError::NameTaken(name) => {
                    Self::new(Reason::NameTaken).with_field("name", name.taken_message())
                }
                full @ WebhookError::LimitReached { .. } => {
                    Self::with_message(Reason::Invalid, full.to_string())
                }
                // `edit_webhook` returns more details.
                WebhookError::Stale(_) => Self::new(Reason::Stale),
                WebhookError::NotFound => Self::not_found(),
                WebhookError::Store(error) => error.into(),
                WebhookError::Vault(error) => {
                    tracing::error!(%error, "failed to decrypt a secret");
                    Self::new(Reason::Broken)
                }
            }
        }
    }

    /// Converts a page error for clients that expect JSON.
    impl From<PageError> for Refusal {
        fn from(error: PageError) -> Self {
            let reason = match error {
                PageError::NotFound => Reason::NotFound,
                PageError::Forbidden { .. } | PageError::CrossSite | PageError::OtherOrigin => {
                    Reason::NotAllowed
                }
                PageError::TooLarge => Reason::TooLarge,
                PageError::InvalidForm => Reason::Invalid,
                PageError::WrongMethod => Reason::WrongMethod,
                PageError::Unavailable => Reason::Unavailable,
                PageError::Unconfirmed => Reason::Unconfirmed,
                PageError::CommitUnknown => Reason::Unknown,
                PageError::Broken => Reason::Broken,
            };
            match error {
                PageError::Forbidden { .. } | PageError::CrossSite | PageError::OtherOrigin => {
                    Self::with_message(reason, error.explanation())
                }
                _ => Self::new(reason),
            }
        }
    }
}
