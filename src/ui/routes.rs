//! The map of the screens.

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect},
    routing::{get, post},
};
use tower_http::{catch_panic::CatchPanicLayer, csrf::CsrfLayer};

use super::{PageError, Ui, error, pages::*, paths, theme, tidy_query};

/// Every route of the dashboard, with its error pages.
///
/// It needs the session layer around it. Whatever no route takes gets the
/// page “Not found”: this router is the last one to ask.
pub fn router(ui: Ui) -> Router {
    Router::new()
        .route("/", get(to_the_list))
        .route("/integrations", get(to_the_list))
        .route("/login", get(login::show).post(login::sign_in))
        .route("/logout", post(login::sign_out))
        .route("/theme", post(theme::choose))
        .route("/integrations/webhook", get(webhooks::show))
        .route(
            "/integrations/webhook/new",
            get(webhook_new::show).post(webhook_new::add),
        )
        .route("/integrations/webhook/advice", post(url_advice::advise))
        .route("/integrations/webhook/deliveries", get(deliveries::of_all))
        .route(
            "/integrations/webhook/deliveries/live",
            get(deliveries::live::of_all),
        )
        .route("/integrations/webhook/deliveries/{id}", get(delivery::show))
        .route("/integrations/webhook/event-types", get(event_types::show))
        .route(
            "/integrations/webhook/event-types/{type}/test",
            get(event_types::try_out),
        )
        .route("/integrations/webhook/events", get(events::show))
        .route("/integrations/webhook/events/{id}", get(event::show))
        .route(
            "/integrations/webhook/{id}",
            get(webhook_edit::show).post(webhook_edit::save),
        )
        .route("/integrations/webhook/{id}/deliveries", get(deliveries::of_one))
        .route(
            "/integrations/webhook/{id}/deliveries/live",
            get(deliveries::live::of_one),
        )
        .route(
            "/integrations/webhook/{id}/delete",
            get(webhook_delete::show).post(webhook_delete::delete),
        )
        .route(
            "/integrations/webhook/{id}/recover",
            get(webhook_recover::show).post(webhook_recover::start),
        )
        .route(
            "/integrations/webhook/{id}/test",
            get(webhook_test::show).post(webhook_test::send),
        )
        .route("/settings/api-keys", get(api_keys::show))
        .route(
            "/settings/api-keys/new",
            get(api_key_new::show).post(api_key_new::add),
        )
        .route(
            "/settings/api-keys/{id}/revoke",
            get(api_key_revoke::show).post(api_key_revoke::revoke),
        )
        .route("/settings/audit-log", get(audit_log::show))
        .route("/settings/audit-log/export", get(audit_log::export::export))
        // People come back to these by GET when they had to sign in again before the form went through.
        .route(
            "/integrations/webhook/deliveries/{id}/resend",
            get(delivery::instead).post(delivery::resend),
        )
        .route(
            "/integrations/webhook/{id}/recover/{recovery}/cancel",
            get(webhook_recover::instead).post(webhook_recover::cancel),
        )
        .route(
            "/integrations/webhook/{id}/pause",
            get(webhook_edit::instead).post(webhook_state::pause),
        )
        .route(
            "/integrations/webhook/{id}/resume",
            get(webhook_edit::instead).post(webhook_state::resume),
        )
        .route(
            "/integrations/webhook/{id}/reveal",
            get(webhook_edit::instead).post(webhook_secret::reveal),
        )
        .route(
            "/integrations/webhook/{id}/rotate",
            get(webhook_edit::instead).post(webhook_secret::rotate),
        )
        .fallback(|| async { PageError::NotFound })
        .method_not_allowed_fallback(|| async { PageError::WrongMethod })
        .layer(from_fn(tidy_query::redirect))
        .layer(CatchPanicLayer::custom(|_| PageError::Broken.into_response()))
        // What another site made the browser send goes no further.
        .layer(CsrfLayer::new().with_rejection_response(|_| PageError::FromElsewhere.into_response()))
        .layer(from_fn_with_state(ui.clone(), error::show))
        .with_state(ui)
}

async fn to_the_list() -> Redirect {
    Redirect::to(paths::LIST)
}
