//! The map of the screens.

use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect},
    routing::{MethodRouter, get, post},
};
use tower_http::{catch_panic::CatchPanicLayer, csrf::CsrfLayer};

use super::{
    PageError, Ui,
    access::{
        Access::{self, Everybody, Needs, SignedIn},
        admit,
    },
    error,
    pages::*,
    paths, theme, tidy_query,
};
use crate::domain::Role::{Admin, Member};

/// One thing that can be asked of the dashboard, and by whom.
pub struct Route {
    pub method: Method,
    /// As axum writes it: `/integrations/webhook/{id}`.
    pub path: &'static str,
    pub access: Access,
    handler: MethodRouter<Ui>,
}

impl Route {
    fn get<H: Handler<T, Ui>, T: 'static>(path: &'static str, access: Access, handler: H) -> Self {
        Self {
            method: Method::GET,
            path,
            access,
            handler: get(handler),
        }
    }

    fn post<H: Handler<T, Ui>, T: 'static>(path: &'static str, access: Access, handler: H) -> Self {
        Self {
            method: Method::POST,
            path,
            access,
            handler: post(handler),
        }
    }
}

/// Every route of the dashboard: the router is made of these and of nothing else.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Everybody, to_the_list),
        Route::get("/integrations", Everybody, to_the_list),
        Route::get("/login", Everybody, login::show),
        Route::post("/login", Everybody, login::sign_in),
        Route::post("/logout", Everybody, login::sign_out),
        Route::post("/theme", Everybody, theme::choose),
        Route::get("/invite/{token}", Everybody, invite::show),
        Route::post("/invite/{token}", Everybody, invite::accept),
        Route::get(paths::API_DOCS, Everybody, api_docs::show),
        Route::get("/integrations/webhook", SignedIn, webhooks::show),
        Route::get("/integrations/webhook/new", ADDS, webhook_new::show),
        Route::post("/integrations/webhook/new", ADDS, webhook_new::add),
        Route::post(
            "/integrations/webhook/advice",
            Needs(Member, "look up addresses"),
            url_advice::advise,
        ),
        Route::get("/integrations/webhook/{id}", SignedIn, webhook_edit::show),
        Route::post(
            "/integrations/webhook/{id}",
            Needs(Admin, "edit webhooks"),
            webhook_edit::save,
        ),
        Route::get("/integrations/webhook/{id}/delete", DELETES, webhook_delete::show),
        Route::post(
            "/integrations/webhook/{id}/delete",
            DELETES,
            webhook_delete::delete,
        ),
        Route::get(
            "/integrations/webhook/{id}/recover",
            RECOVERS,
            webhook_recover::show,
        ),
        Route::post(
            "/integrations/webhook/{id}/recover",
            RECOVERS,
            webhook_recover::start,
        ),
        Route::get(
            "/integrations/webhook/{id}/recover/live",
            RECOVERS,
            webhook_recover::live::watch,
        ),
        Route::get("/integrations/webhook/{id}/test", TESTS, webhook_test::show),
        Route::post("/integrations/webhook/{id}/test", TESTS, webhook_test::send),
        Route::get("/integrations/webhook/deliveries", SignedIn, deliveries::of_all),
        Route::get(
            "/integrations/webhook/deliveries/live",
            SignedIn,
            deliveries::live::of_all,
        ),
        Route::get("/integrations/webhook/deliveries/{id}", SignedIn, delivery::show),
        Route::get(
            "/integrations/webhook/{id}/deliveries",
            SignedIn,
            deliveries::of_one,
        ),
        Route::get(
            "/integrations/webhook/{id}/deliveries/live",
            SignedIn,
            deliveries::live::of_one,
        ),
        Route::get("/integrations/webhook/event-types", SignedIn, event_types::show),
        Route::get(
            "/integrations/webhook/event-types/{type}/test",
            SignedIn,
            event_types::try_out,
        ),
        Route::get("/integrations/webhook/guide", SignedIn, guide::show),
        Route::get("/integrations/webhook/events", SignedIn, events::show),
        Route::get("/integrations/webhook/events/{id}", SignedIn, event::show),
        Route::get("/settings/account", SignedIn, account::show),
        Route::get("/settings/time-zone", SignedIn, time_zone::show),
        Route::post("/settings/time-zone", SignedIn, time_zone::choose),
        Route::get("/settings/api-keys", KEYS, api_keys::show),
        Route::get("/settings/api-keys/new", KEYS, api_key_new::show),
        Route::post("/settings/api-keys/new", KEYS, api_key_new::add),
        Route::get("/settings/api-keys/{id}/revoke", KEYS, api_key_revoke::show),
        Route::post("/settings/api-keys/{id}/revoke", KEYS, api_key_revoke::revoke),
        Route::get("/settings/audit-log", AUDITS, audit_log::show),
        Route::get("/settings/audit-log/export", AUDITS, audit_log::export::export),
        Route::get("/settings/users", MANAGES, users::show),
        Route::post("/settings/users", MANAGES, users::invite),
        Route::get("/settings/users/{id}", MANAGES, user::show),
        Route::post("/settings/users/{id}", MANAGES, user::change_role),
        // People come back to these by GET when they had to sign in again before the form went through.
        Route::get(
            "/integrations/webhook/deliveries/{id}/resend",
            SignedIn,
            delivery::instead,
        ),
        Route::post(
            "/integrations/webhook/deliveries/{id}/resend",
            Needs(Member, "resend deliveries"),
            delivery::resend,
        ),
        Route::get(
            "/integrations/webhook/{id}/recover/{recovery}/cancel",
            SignedIn,
            webhook_recover::instead,
        ),
        Route::post(
            "/integrations/webhook/{id}/recover/{recovery}/cancel",
            RECOVERS,
            webhook_recover::cancel,
        ),
        Route::get(
            "/integrations/webhook/{id}/pause",
            SignedIn,
            webhook_edit::instead,
        ),
        Route::post(
            "/integrations/webhook/{id}/pause",
            Needs(Admin, "pause webhooks"),
            webhook_state::pause,
        ),
        Route::get(
            "/integrations/webhook/{id}/resume",
            SignedIn,
            webhook_edit::instead,
        ),
        Route::post(
            "/integrations/webhook/{id}/resume",
            Needs(Admin, "resume webhooks"),
            webhook_state::resume,
        ),
        Route::get(
            "/integrations/webhook/{id}/reveal",
            SignedIn,
            webhook_edit::instead,
        ),
        Route::post(
            "/integrations/webhook/{id}/reveal",
            Needs(Admin, "reveal secrets"),
            webhook_secret::reveal,
        ),
        Route::get(
            "/integrations/webhook/{id}/rotate",
            SignedIn,
            webhook_edit::instead,
        ),
        Route::post(
            "/integrations/webhook/{id}/rotate",
            Needs(Admin, "rotate secrets"),
            webhook_secret::rotate,
        ),
        Route::get("/settings/account/password", SignedIn, account::instead),
        Route::post("/settings/account/password", SignedIn, account::change_password),
        Route::get(
            "/settings/account/sessions/end-others",
            SignedIn,
            account::instead,
        ),
        Route::post(
            "/settings/account/sessions/end-others",
            SignedIn,
            account::end_other_sessions,
        ),
        Route::get("/settings/account/sessions/{id}/end", SignedIn, account::instead),
        Route::post(
            "/settings/account/sessions/{id}/end",
            SignedIn,
            account::end_session,
        ),
        Route::get("/settings/users/{id}/disable", MANAGES, user::instead),
        Route::post("/settings/users/{id}/disable", MANAGES, user::disable),
        Route::get("/settings/users/{id}/enable", MANAGES, user::instead),
        Route::post("/settings/users/{id}/enable", MANAGES, user::enable),
        Route::get("/settings/users/invites/{id}/renew", MANAGES, users::instead),
        Route::post("/settings/users/invites/{id}/renew", MANAGES, users::renew),
        Route::get("/settings/users/invites/{id}/revoke", MANAGES, users::instead),
        Route::post("/settings/users/invites/{id}/revoke", MANAGES, users::revoke),
    ]
}

const KEYS: Access = Needs(Admin, "manage API keys");
const AUDITS: Access = Needs(Admin, "see the audit log");
const ADDS: Access = Needs(Member, "add webhooks");
const DELETES: Access = Needs(Admin, "delete webhooks");
const MANAGES: Access = Needs(Admin, "manage users");
const RECOVERS: Access = Needs(Member, "recover deliveries");
const TESTS: Access = Needs(Member, "send test events");

/// All of it, with its error pages.
///
/// It needs the session layer around it. Whatever no route takes gets the
/// page “Not found”: this router is the last one to ask.
pub fn router(ui: Ui) -> Router {
    let routes = routes().into_iter().fold(Router::new(), |router, route| {
        let admit = from_fn_with_state((ui.clone(), route.access), admit);
        router.route(route.path, route.handler.route_layer(admit))
    });
    routes
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
