//! The server's side: how a function is called, by a script or for a plain form, and how a refusal is answered.

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
    request::{flash::Flash, local_path::LocalPath, visit::Visit},
};

/// Serves a function to those who were admitted.
pub async fn serve(visit: Visit, mut request: Request) -> Response {
    // Leptos would redirect what accepts HTML to where it came from, whatever the outcome. Plain forms go to their pages.
    request.headers_mut().remove(header::ACCEPT);
    let mut response =
        leptos_axum::handle_server_fns_with_context(move || provide_context(visit.clone()), request)
            .await
            .into_response();
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}

/// What became of a plain form.
pub enum Submitted {
    /// The answer is complete: it leads to another page.
    Done(Response),
    /// The page is to be shown again.
    Again(Reply),
}

/// What a page says about the form that was sent to it. Empty when it was only asked for.
#[derive(Default)]
pub struct Reply {
    pub status: StatusCode,
    /// Whether the message is about something that was not done.
    pub refused: bool,
    pub message: Option<String>,
    pub fields: Vec<FieldError>,
    /// The page's element `part`.
    pub part: Option<Fragment>,
    /// What stands above the fields of the form.
    pub notice: Option<Fragment>,
    pub version: Option<i64>,
    retry_after: Option<u64>,
}

impl Reply {
    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        let error = self.fields.iter().find(|error| error.name == field);
        error.map(|error| error.message.clone())
    }

    /// The headers that go with it.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        headers
    }
}

impl Visit {
    /// Calls a function for a plain form that was posted to its page.
    pub async fn submit(
        &self,
        function: impl Future<Output = Result<Outcome, Refusal>>,
    ) -> Result<Submitted, PageError> {
        let (result, options) = self.call(function).await;
        match result {
            Ok(Outcome {
                to: Some(to),
                message: None,
                part: None,
                version: _,
            }) => {
                let headers = options
                    .0
                    .read()
                    .map(|parts| parts.headers.clone())
                    .unwrap_or_default();
                Ok(Submitted::Done((headers, Redirect::to(&to)).into_response()))
            }
            Ok(outcome) => Ok(Submitted::Again(Reply {
                message: outcome.message,
                part: outcome.part,
                version: outcome.version,
                ..Reply::default()
            })),
            Err(refusal) => Ok(Submitted::Again(refusal.into_reply()?)),
        }
    }

    /// Calls a function as what it is, in the context that [`serve`] would give it.
    pub async fn call<T>(&self, function: impl Future<Output = T>) -> (T, ResponseOptions) {
        // Not a root: that would stay the current owner of this thread, for whatever runs there next.
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

    /// Leaves a message, and leads to the page that shows it.
    pub async fn done(&self, flash: Flash, to: &str) -> Outcome {
        flash.leave(&self.session).await;
        Outcome::to(to)
    }
}

/// Who calls the function that is running.
pub fn visit() -> Visit {
    expect_context()
}

/// Sends a cookie with what the running function returns.
pub fn keep(cookie: &Cookie<'_>) {
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        expect_context::<ResponseOptions>().append_header(header::SET_COOKIE, value);
    }
}

/// Where a form leads back to, if it names a page of this site.
pub fn back_to(path: &str, otherwise: &str) -> String {
    LocalPath::parse(path).map_or_else(|| otherwise.to_owned(), |path| path.as_str().to_owned())
}

impl Refusal {
    /// Sets the status and the headers of the answer.
    pub(super) fn describe(&self, options: &ResponseOptions) {
        options.set_status(self.reason.status());
        if let Some(seconds) = self.retry_after {
            options.insert_header(header::RETRY_AFTER, seconds.into());
        }
    }

    /// The form again, if something can be typed or tried again; else the page that says why not.
    fn into_reply(self) -> Result<Reply, PageError> {
        match self.reason {
            Reason::NotFound => return Err(PageError::NotFound),
            Reason::Broken => return Err(PageError::Broken),
            Reason::Unconfirmed => return Err(PageError::Unconfirmed),
            Reason::Unknown => return Err(PageError::Unknown),
            _ => {}
        }
        Ok(Reply {
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
