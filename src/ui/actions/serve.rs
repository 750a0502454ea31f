//! The server side of server functions: calls them for scripts and for plain forms, and returns their results.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::cookie::Cookie;
use leptos::{prelude::*, reactive::computed::ScopedFuture};
use leptos_axum::ResponseOptions;

use super::{
    outcome::{Fragment, Outcome},
    refusal::{FieldError, Reason, Refusal},
};
use crate::ui::{
    PageError,
    request::{context::RequestContext, flash::Flash, local_path::LocalPath},
};

/// Handles a call by a script.
pub async fn serve(ctx: RequestContext, mut request: Request) -> Response {
    // Leptos redirects requests that accept HTML back to their page, whatever the result. Here, plain forms are posted to
    // the handlers of their pages instead.
    request.headers_mut().remove(header::ACCEPT);
    let mut response =
        leptos_axum::handle_server_fns_with_context(move || provide_context(ctx.clone()), request)
            .await
            .into_response();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

/// The result of a plain form.
pub enum Submission {
    /// The response is a redirect to another page.
    Redirect(Response),
    /// The page must be rendered again with this feedback.
    Rerender(FormFeedback),
}

/// The result of a form, for the page that renders the form again. Empty if no form was sent.
#[derive(Default)]
pub struct FormFeedback {
    pub status: StatusCode,
    /// True if the change was refused.
    pub refused: bool,
    pub message: Option<String>,
    pub fields: Vec<FieldError>,
    /// Content of the element `part`.
    pub part: Option<Fragment>,
    /// Content above the fields of the form.
    pub notice: Option<Fragment>,
    pub version: Option<i64>,
    retry_after: Option<u64>,
}

impl FormFeedback {
    /// Returns the error of a field.
    pub fn error(&self, field: &str) -> Option<String> {
        let error = self.fields.iter().find(|error| error.name == field);
        error.map(|error| error.message.clone())
    }

    /// Returns the headers for the page.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        headers
    }
}

impl RequestContext {
    /// Runs a server function for a plain form that was posted to its page.
    pub async fn submit(
        &self,
        function: impl Future<Output = Result<Outcome, Refusal>>,
    ) -> Result<Submission, PageError> {
        let (result, options) = self.call(function).await;
        match result {
            Ok(Outcome {
                to: Some(to),
                message: None,
                part: None,
                version: _,
                submission: _,
            }) => {
                let headers = options
                    .0
                    .read()
                    .map(|parts| parts.headers.clone())
                    .unwrap_or_default();
                Ok(Submission::Redirect((headers, Redirect::to(&to)).into_response()))
            }
            Ok(outcome) => Ok(Submission::Rerender(FormFeedback {
                message: outcome.message,
                part: outcome.part,
                version: outcome.version,
                ..FormFeedback::default()
            })),
            Err(refusal) => Ok(Submission::Rerender(refusal.into_feedback()?)),
        }
    }

    /// Runs a server function in the same reactive context as [`serve`].
    pub async fn call<T>(&self, function: impl Future<Output = T>) -> (T, ResponseOptions) {
        // Not a new root, which would stay the current owner of this thread for unrelated tasks.
        let (owner, options) = (Owner::new(), ResponseOptions::default());
        let scoped = owner.with(|| {
            provide_context(self.clone());
            provide_context(options.clone());
            ScopedFuture::new(function)
        });
        let result = scoped.await;
        owner.cleanup();
        (result, options)
    }

    /// Stores a flash message and returns the page that shows it.
    pub async fn redirect_with_flash(&self, flash: Flash, to: &str) -> Outcome {
        flash.store(&self.session).await;
        Outcome::to(to)
    }
}

/// Returns the request context of the running server function.
pub fn request_context() -> RequestContext {
    expect_context()
}

/// Adds a cookie to the response of the running server function.
pub fn set_cookie(cookie: &Cookie<'_>) {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, value);
    }
}

/// Returns `path` if it is a path on this site, and `default` otherwise.
pub fn local_path_or(path: &str, default: &str) -> String {
    LocalPath::parse(path).map_or_else(|| default.to_owned(), |path| path.as_str().to_owned())
}

impl Refusal {
    /// Sets the status and the headers of the response.
    pub(super) fn set_response_options(&self, options: &ResponseOptions) {
        options.set_status(self.reason.status());
        if let Some(seconds) = self.retry_after {
            options.insert_header(header::RETRY_AFTER, seconds.into());
        }
    }

    /// Returns the feedback for the form, or an error page if the user can do nothing in the form.
    fn into_feedback(self) -> Result<FormFeedback, PageError> {
        match self.reason {
            Reason::NotFound => return Err(PageError::NotFound),
            Reason::Broken => return Err(PageError::Broken),
            Reason::Unconfirmed => return Err(PageError::Unconfirmed),
            Reason::Unknown => return Err(PageError::CommitUnknown),
            _ => {}
        }
        Ok(FormFeedback {
            status: self.reason.status(),
            refused: true,
            message: Some(self.message).filter(|message| !message.is_empty()),
            fields: self.fields,
            part: None,
            notice: self.part,
            version: self.version,
            retry_after: self.retry_after,
        })
    }
}
