//! The pages that say why there is no page.
//!
//! A handler returns a bare [`PageError`]; the outermost layer of the routes turns it into a page with the same status
//! ([`layout::error_page`](super::layout::error_page)). So no handler builds an error page, and none can forget to.

use axum::{
    extract::rejection::PathRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{domain::Role, store::StoreError, webhooks::WebhookError};

/// Why a page is not shown, by what a person can do about it.
#[derive(Debug, Clone, Copy)]
pub enum PageError {
    /// 404: there is no such page, webhook or delivery, or not in this account.
    NotFound,
    /// 403: it needs another role. `what` completes “Only admins may …”.
    Forbidden { needs: Role, what: &'static str },
    /// 403: another site made the browser send it.
    FromElsewhere,
    /// 413: more than a form may hold.
    TooLarge,
    /// 422: a field is not of its kind; no form of ours sends that.
    Unreadable,
    /// 405: the address takes another method; people get here by reloading after a form.
    WrongMethod,
    /// 503: the database does not answer; trying again may help.
    Unavailable,
    /// 503: the change is stored, but not yet confirmed by every process.
    Unconfirmed,
    /// 503: the connection to the database was lost while it stored the change.
    Unknown,
    /// 500: our mistake.
    Broken,
}

impl PageError {
    pub fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden { .. } | Self::FromElsewhere => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unavailable | Self::Unconfirmed | Self::Unknown => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Forbidden { .. } => "Not allowed",
            Self::FromElsewhere => "Cross-site request blocked",
            Self::TooLarge => "Too much for a form",
            Self::Unreadable => "This form could not be read",
            Self::WrongMethod => "Nothing to show here",
            Self::Unavailable => "Temporarily unavailable",
            Self::Unconfirmed => "Not confirmed yet",
            Self::Unknown => "Saved or not",
            Self::Broken => "Something went wrong",
        }
    }

    pub fn explanation(self) -> String {
        match self {
            Self::NotFound => "This page does not exist. It may have been deleted.".into(),
            Self::Forbidden {
                needs: Role::Admin,
                what,
            } => format!("Only admins may {what}. Ask one of yours."),
            Self::Forbidden { what, .. } => format!("Viewers may not {what}. Ask an admin for another role."),
            Self::FromElsewhere => {
                "Another site made your browser send this, so nothing was changed. If it was you, do it again here.".into()
            }
            Self::TooLarge => "Go back, shorten what you typed and send it again. Nothing was changed.".into(),
            Self::Unreadable => "Go back, reload the page and fill it in again. Nothing was changed.".into(),
            Self::WrongMethod => "This page only accepts form submissions.".into(),
            Self::Unavailable => "The data cannot be read at the moment. Nothing is lost.".into(),
            Self::Unknown => {
                "The connection to the database was lost while it saved this: it may be saved, or not. Look before you repeat \
                 it."
                    .into()
            }
            Self::Unconfirmed => {
                "The change is made, but not every process has confirmed that it goes by it. Look again in a moment; there \
                 is nothing to repeat."
                    .into()
            }
            Self::Broken => "That was our mistake, and it has been written down.".into(),
        }
    }

    /// Whether the same request may succeed later.
    pub fn is_passing(self) -> bool {
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

/// An address with an identifier that cannot be one.
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
            StoreError::CommitUnknown(_) => Self::Unknown,
            StoreError::Conflict(_)
            | StoreError::Full
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
