//! `POST /integrations/webhook/advice`: what the form's island asks about a URL while it is typed.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    domain::{EndpointUrl, Role},
    ui::{PageError, visit::Visit},
};

/// Takes the URL as the body; answers 422 with what is wrong with it, or 200 with a line for each advice. By `POST`, so
/// that other sites cannot ask and no log keeps a URL that may hold a password.
pub async fn advise(visit: Visit, url: String) -> Result<Response, PageError> {
    visit.require(Role::Member, "look up addresses")?;
    let (status, text) = match EndpointUrl::parse(&url, visit.ui.transport) {
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
        Ok(url) => {
            let advice = visit.ui.guard.advise(&url).await;
            let lines: Vec<_> = advice.iter().map(ToString::to_string).collect();
            (StatusCode::OK, lines.join("\n"))
        }
    };
    Ok((status, [(header::CACHE_CONTROL, "no-store")], text).into_response())
}
