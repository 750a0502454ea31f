//! Why a server function did nothing: one closed type, with an HTTP status for each reason.

use leptos::server_fn::{
    Bytes, ContentType, Decodes, Encodes, Format, FormatType,
    error::{FromServerFnError, ServerFnErrorErr},
};

#[cfg(feature = "ssr")]
pub use self::server::Reason;
use super::outcome::Fragment;

/// Nothing was changed, and why.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize))]
pub struct Refusal {
    #[cfg(feature = "ssr")]
    #[serde(rename = "error")]
    pub reason: Reason,
    /// What to do about it, in a sentence; empty if the fields say it.
    pub message: String,
    /// What is wrong with single fields.
    pub fields: Vec<FieldError>,
    /// HTML that says more than the message: what somebody else has saved, or where to sign in.
    pub part: Option<Fragment>,
    /// Of a version that somebody else has saved: the one that the next attempt is based on.
    pub version: Option<i64>,
    /// After how many seconds it can be tried again.
    pub retry_after: Option<u64>,
}

/// What is wrong with one field of a form.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "ssr", derive(serde::Serialize))]
pub struct FieldError {
    pub name: String,
    pub message: String,
}

/// The encoding of a [`Refusal`]. The browser decodes it in [`protocol`](super::protocol).
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
        unreachable!("a browser refuses nothing")
    }
}

impl Decodes<Refusal> for Encoding {
    type Error = String;

    fn decode(_: Bytes) -> Result<Refusal, String> {
        unreachable!("`Call` decodes what it receives")
    }
}

impl FromServerFnError for Refusal {
    type Encoder = Encoding;

    #[cfg(feature = "ssr")]
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            // The only thing that can be wrong with the bytes of a body: they were more than the limit, or broke off.
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
            message: "Caleida did not answer. Everything that you typed is still here: check your connection and try again."
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
        ui::{PageError, components::time_ago::span},
        webhooks::WebhookError,
    };

    /// Why a function did nothing. Each has its status, also when a page says it.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Reason {
        /// 422: fields are wrong, or a limit is reached.
        Invalid,
        /// 409: another webhook has the name.
        NameTaken,
        /// 409: somebody else has changed it since the form was opened.
        Stale,
        /// 409: it would leave the account without an admin.
        LastAdmin,
        /// 401
        SignedOut,
        /// 403
        NotAllowed,
        /// 404: it does not exist, or not in this account.
        NotFound,
        /// 405
        WrongMethod,
        /// 413
        TooLarge,
        /// 429
        RateLimited,
        /// 503: the database does not answer.
        Unavailable,
        /// 503: the change is stored, but not every process has confirmed that it acts on it.
        Unconfirmed,
        /// 503: the connection to the database was lost while it stored the change.
        Unknown,
        /// 500: our mistake.
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

        /// What to do about it, unless something better is known.
        fn advice(self) -> &'static str {
            match self {
                Self::Invalid | Self::NameTaken | Self::Stale | Self::LastAdmin => "",
                Self::SignedOut => {
                    "You are signed out. Sign in on another page, then do this again: nothing that you typed is lost."
                }
                Self::NotAllowed => "Your role does not allow this.",
                Self::NotFound => "It does not exist any more: it may have been deleted meanwhile.",
                Self::WrongMethod => "This address takes forms by POST.",
                Self::TooLarge => "This is more than a form may hold. Shorten it and try again.",
                Self::RateLimited => "Too many attempts. Try again in a moment.",
                Self::Unavailable => {
                    "This is not possible at the moment. Nothing you typed is lost: try again soon."
                }
                Self::Unknown => {
                    "The connection to the database was lost while it saved this: it may be saved, or not. Reload the page to \
                     see which."
                }
                Self::Unconfirmed => {
                    "The change is stored, but not every process has confirmed it yet. Look again in a moment; there is nothing \
                     to repeat."
                }
                Self::Broken => {
                    "Something went wrong here, and it has been logged. Everything that you typed is still here."
                }
            }
        }
    }

    impl Refusal {
        pub fn new(reason: Reason) -> Self {
            Self::because(reason, reason.advice())
        }

        pub fn because(reason: Reason, message: impl Into<String>) -> Self {
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
            Self::new(Reason::Invalid).and_field(name, message)
        }

        pub fn and_field(mut self, name: &str, message: impl Into<String>) -> Self {
            self.fields.push(FieldError {
                name: name.to_owned(),
                message: message.into(),
            });
            self
        }

        pub fn rate_limited(retry_after: Duration) -> Self {
            // Rounded up: after so many seconds it does work.
            let seconds = u64::try_from(retry_after.as_millis().div_ceil(1000))
                .unwrap_or(u64::MAX)
                .max(1);
            Self {
                retry_after: Some(seconds),
                ..Self::because(
                    Reason::RateLimited,
                    format!("Too many attempts. Try again in {}.", span(retry_after)),
                )
            }
        }

        /// The fields of the form were not the expected ones, or not of their kind.
        pub fn unreadable() -> Self {
            Self::because(
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
                    refusal.and_field(field.as_str(), message)
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
                | StoreError::Full
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
                WebhookError::NameTaken(name) => Self::new(Reason::NameTaken).and_field("name", name.taken()),
                full @ WebhookError::TooMany { .. } => Self::because(Reason::Invalid, full.to_string()),
                // The function that can be refused so says more.
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

    /// What a page would say, for a caller who reads JSON.
    impl From<PageError> for Refusal {
        fn from(error: PageError) -> Self {
            let reason = match error {
                PageError::NotFound => Reason::NotFound,
                PageError::Forbidden { .. } | PageError::FromElsewhere => Reason::NotAllowed,
                PageError::TooLarge => Reason::TooLarge,
                PageError::Unreadable => Reason::Invalid,
                PageError::WrongMethod => Reason::WrongMethod,
                PageError::Unavailable => Reason::Unavailable,
                PageError::Unconfirmed => Reason::Unconfirmed,
                PageError::Unknown => Reason::Unknown,
                PageError::Broken => Reason::Broken,
            };
            match error {
                PageError::Forbidden { .. } | PageError::FromElsewhere => {
                    Self::because(reason, error.explanation())
                }
                _ => Self::new(reason),
            }
        }
    }
}
