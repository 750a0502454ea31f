//! Errors of page handlers.
//!
//! A handler returns a [`PageError`]. The outermost layer of the routes
//! ([`layout::error_page`](super::layout::error_page)) renders it as a page with the same status, so no handler renders
//! an error page itself.

use axum::{
    extract::rejection::PathRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{domain::Role, store::StoreError, webhooks::WebhookError};

/// Reason why a page cannot be shown.
#[derive(Debug, Clone, Copy)]
pub enum PageError {
    /// 404: does not exist, or belongs to another account.
    NotFound,
    /// 403: requires another role. `action` completes “Only admins may …”.
    Forbidden { role: Role, action: &'static str },
    /// 403: another site made the browser send the request.
    CrossSite,
    /// 403: the browser does not say which site sent the request, and the page has another address than this request.
    OtherOrigin,
    /// 413: the form is too large.
    TooLarge,
    /// 422: a field has the wrong type. The forms of the dashboard never send this.
    InvalidForm,
    /// 405: the URL accepts another method. Happens when a user opens the URL of a form.
    WrongMethod,
    /// 503: the database is unavailable. A retry may succeed.
    Unavailable,
    /// 503: the change is stored, but not yet confirmed by every process.
    Unconfirmed,
    /// 503: the connection to the database was lost while it stored the change.
    CommitUnknown,
    /// 500: internal error.
    Broken,
}

impl PageError {
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden { .. } | Self::CrossSite | Self::OtherOrigin => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::InvalidForm => StatusCode::UNPROCESSABLE_ENTITY,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unavailable | Self::Unconfirmed | Self::CommitUnknown => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Forbidden { .. } => "Not allowed",
            Self::CrossSite => "Cross-site request blocked",
            Self::OtherOrigin => "Address does not match",
            Self::TooLarge => "Form too large",
            Self::InvalidForm => "This form could not be read",
            Self::WrongMethod => "Method not allowed",
            Self::Unavailable => "Temporarily unavailable",
            Self::Unconfirmed => "Not confirmed yet",
            Self::CommitUnknown => "Result unknown",
            Self::Broken => "Something went wrong",
        }
    }

    pub fn explanation(self) -> String {
        match self {
            Self::NotFound => "This page does not exist. It may have been deleted.".into(),
            Self::Forbidden {
                role: Role::Admin,
                action,
            } => format!("Only admins may {action}. Ask an admin of your account."),
            Self::Forbidden { action, .. } => format!("Viewers may not {action}. Ask an admin for another role."),
            Self::CrossSite => {
                "Another site made your browser send this request, so nothing was changed. Use the form on this site instead.".into()
            }
            Self::OtherOrigin => {
                "The form was sent from another address than the one that reached Caleida, so nothing was changed. Usually a \
                 proxy in front of Caleida hides the address in your browser. Ask the administrator to set \
                 CALEIDA_PUBLIC_URL to the address of this dashboard; the log of Caleida shows both addresses. If you came \
                 from another site, do not send the form again."
                    .into()
            }
            Self::TooLarge => "Go back, shorten your input and send the form again. Nothing was changed.".into(),
            Self::InvalidForm => "Go back, reload the page and fill in the form again. Nothing was changed.".into(),
            Self::WrongMethod => "This page only accepts form submissions.".into(),
            Self::Unavailable => "The data cannot be loaded at the moment. No data is lost. Try again soon.".into(),
            Self::CommitUnknown => {
                "The connection to the database was lost while saving. The change may or may not be saved. Check before you \
                 try again."
                    .into()
            }
            Self::Unconfirmed => {
                "The change is stored but not yet confirmed by every process. Check again in a moment; you do not need to \
                 repeat it."
                    .into()
            }
            Self::Broken => "This is an error on our side. It has been logged.".into(),
        }
    }

    /// Returns whether the same request may succeed later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::Broken)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// An invalid identifier in the path means that the page does not exist.
impl From<PathRejection> for PageError {
    fn from(_: PathRejection) -> Self {
        Self::NotFound
    }
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "failed to load a page");
        match error {
            StoreError::Unavailable(_) => Self::Unavailable,
            StoreError::Unconfirmed => Self::Unconfirmed,
            StoreError::CommitUnknown(_) => Self::CommitUnknown,
            StoreError::Conflict(_)
            | StoreError::LimitReached
            | StoreError::Corrupt(_)
            | StoreError::Bug(_)
            | StoreError::Open(_) => Self::Broken,
        }
    }
}

impl From<WebhookError> for PageError {
    fn from(error: WebhookError) -> Self {
        match error {
            WebhookError::NotFound => Self::NotFound,
            WebhookError::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "webhook operation failed");
                Self::Broken
            }
        }
    }
}
