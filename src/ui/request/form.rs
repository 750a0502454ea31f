//! A form that was posted to its page.

use axum::{
    extract::{FromRequest, Request},
    http::StatusCode,
};
use axum_extra::extract::Form as AxumForm;
use serde::de::DeserializeOwned;

use crate::ui::error::PageError;

/// Its fields. What cannot be read is answered with a page that says what to do, without the parser's words, which may
/// repeat what was typed.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        match AxumForm::from_request(request, state).await {
            Ok(AxumForm(fields)) => Ok(Self(fields)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(PageError::TooLarge),
            Err(_) => Err(PageError::Unreadable),
        }
    }
}
