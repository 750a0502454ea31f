//! `POST /integrations/webhook/advice`: what the form's island asks about a URL while it is typed.

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    domain::EndpointUrl,
    ui::{PageError, visit::Visit},
};

/// What the island shows at the field.
#[derive(Serialize)]
struct Opinion {
    /// Why it would be refused.
    error: Option<String>,
    /// What is unwise about it, a line each; empty if nothing is.
    advice: String,
}

/// Takes the URL as the body. By `POST`, so that other sites cannot ask and no log keeps a URL that may hold a
/// password.
pub async fn advise(visit: Visit, url: String) -> Result<Response, PageError> {
    let opinion = match EndpointUrl::parse(&url, visit.ui.transport) {
        Err(error) => Opinion {
            error: Some(error.to_string()),
            advice: String::new(),
        },
        Ok(url) => {
            let advice = visit.ui.guard.advise(&url).await;
            let lines: Vec<_> = advice.iter().map(ToString::to_string).collect();
            Opinion {
                error: None,
                advice: lines.join("\n"),
            }
        }
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(opinion)).into_response())
}
