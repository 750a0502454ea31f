//! The layer that turns a [`PageError`] into a page, in the shell if somebody is signed in; for a server function, into
//! JSON.

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{
    document::{Page, bare},
    shell::Section,
};
use crate::ui::{
    PageError, Ui,
    actions::{is_action, refusal::Refusal},
    paths,
    request::{preferences::Preferences, visit::Visit},
};

pub async fn show(State(ui): State<Ui>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(&error) = response.extensions().get::<PageError>() else {
        return response;
    };
    // What the page does not say: when to try again, and which methods the address takes.
    let kept = [header::RETRY_AFTER, header::ALLOW]
        .into_iter()
        .filter_map(|name| response.headers().get(&name).cloned().map(|value| (name, value)));
    let kept: HeaderMap = kept.collect();
    (kept, explained(&ui, asked, error).await).into_response()
}

/// The same for whoever asked: JSON for a script, a page for a person.
async fn explained(ui: &Ui, mut asked: Parts, error: PageError) -> Response {
    if is_action(asked.uri.path()) {
        return Refusal::from(error).into_response();
    }
    let again = (error.is_passing() && asked.method == Method::GET)
        .then(|| asked.uri.path_and_query().map(ToString::to_string))
        .flatten();
    let preferences = Preferences::of(&asked.headers);
    match Visit::from_request_parts(&mut asked, ui).await {
        Ok(visit) => {
            let page = Page::new(error.title(), Section::None).with_status(error.status());
            visit.page(page, move || view! { <Explanation error again/> }.into_any())
        }
        Err(_) => bare(&ui.site, &preferences, error.title(), error.status(), move || {
            view! { <main class="alone"><Explanation error again/></main> }.into_any()
        }),
    }
}

#[component]
fn Explanation(error: PageError, again: Option<String>) -> impl IntoView {
    view! {
        <div class="explanation">
            <p class="explanation__status">{error.status().as_u16()}</p>
            <h1>{error.title()}</h1>
            <p>{error.explanation()}</p>
            <p class="explanation__actions">
                {again.map(|again| view! { <a class="button button--primary" href=again>"Try again"</a> })}
                <a class="button" href=paths::LIST>"Back to the webhooks"</a>
            </p>
        </div>
    }
}
