//! Extractor for posted forms.

use axum::{
    extract::{FromRequest, Request},
    http::StatusCode,
};
use axum_extra::extract::Form as AxumForm;
use serde::de::DeserializeOwned;

use crate::ui::error::PageError;

/// The fields of a posted form. Rejects with a [`PageError`]: the parser's own message may repeat the user's input.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        match AxumForm::from_request(request, state).await {
            Ok(AxumForm(fields)) => Ok(Self(fields)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(PageError::TooLarge),
            Err(_) => Err(PageError::InvalidForm),
        }
    }
}
