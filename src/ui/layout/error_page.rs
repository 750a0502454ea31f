//! The layer that renders a [`PageError`]: as a page, in the shell if the user is signed in, or as JSON for a server
//! function.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{
    document::{Page, render_bare},
    shell::Section,
};
use crate::ui::{
    PageError, Ui,
    actions::{is_action, refusal::Refusal},
    paths,
    request::{context::RequestContext, preferences::Preferences},
};

pub async fn show(State(ui): State<Ui>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let request_parts = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(&error) = response.extensions().get::<PageError>() else {
        return response;
    };
    // The error page does not set these headers itself.
    let headers = [header::RETRY_AFTER, header::ALLOW]
        .into_iter()
        .filter_map(|name| response.headers().get(&name).cloned().map(|value| (name, value)));
    let headers: HeaderMap = headers.collect();
    (headers, error_response(&ui, request_parts, error).await).into_response()
}

/// Returns JSON for a server function, and a page otherwise.
async fn error_response(ui: &Ui, mut parts: Parts, error: PageError) -> Response {
    if is_action(parts.uri.path()) {
        return Refusal::from(error).into_response();
    }
    let retry_path = (error.is_transient() && parts.method == Method::GET)
        .then(|| parts.uri.path_and_query().map(ToString::to_string))
        .flatten();
    let preferences = Preferences::from_headers(&parts.headers);
    match RequestContext::from_request_parts(&mut parts, ui).await {
        Ok(ctx) => {
            let page = Page::new(error.title(), Section::None).with_status(error.status());
            ctx.render_page(page, move || {
                view! { <ErrorDetails error retry_path/> }.into_any()
            })
        }
        Err(_) => render_bare(&ui.site, &preferences, error.title(), error.status(), move || {
            view! { <main class="alone"><ErrorDetails error retry_path/></main> }.into_any()
        }),
    }
}

#[component]
fn ErrorDetails(error: PageError, retry_path: Option<String>) -> impl IntoView {
    view! {
        <div class="explanation">
            <p class="explanation__status">{error.status().as_u16()}</p>
            <h1>{error.title()}</h1>
            <p>{error.explanation()}</p>
            <p class="explanation__actions">
                {retry_path.map(|path| view! { <a class="button button--primary" href=path>"Try again"</a> })}
                <a class="button" href=paths::LIST>"Back to webhooks"</a>
            </p>
        </div>
    }
}
