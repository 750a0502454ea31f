//! The routes of the dashboard: pages, forms and server functions, with the access that each requires.

use axum::{
    Router,
    handler::Handler,
    http::Method,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Redirect},
    routing::{MethodRouter, get, post},
};
use axum_extra::routing::TypedPath;
use leptos::server_fn::ServerFn;
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    PageError, Ui,
    actions::{
        self, account::*, api_keys::*, deliveries::*, preferences::*, recoveries::*, secrets::*, users::*,
        webhook_options::*, webhooks::*,
    },
    layout::error_page,
    pages::{deliveries, docs, events, settings, sign_in, webhooks},
    paths::{self, *},
    request::{
        access::{
            Access::{self, Public, Requires, SignedIn},
            authorize,
        },
        clean_query, origin,
    },
};
use crate::domain::Role::{Admin, Member};

/// A route of the dashboard.
pub struct Route {
    pub method: Method,
    /// Path in the syntax of axum: `/integrations/webhook/{id}`.
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

    /// Returns the route of a server function, at its own path.
    fn action<F: ServerFn>(access: Access) -> Self {
        Self::post(F::PATH, access, actions::serve::serve)
    }
}

/// Returns all routes of the dashboard.
///
/// A page's form and the server functions that it calls have the same access.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Public, redirect_to_list),
        Route::get("/integrations", Public, redirect_to_list),
        Route::get(LOGIN, Public, sign_in::login::show),
        Route::post(LOGIN, Public, sign_in::login::sign_in),
        Route::post(LOGOUT, Public, sign_in::login::sign_out),
        Route::get(Invite::PATH, Public, sign_in::invite::show),
        Route::post(Invite::PATH, Public, sign_in::invite::accept),
        Route::get(API_DOCS, Public, docs::api::show),
        // Webhooks.
        Route::get(LIST, SignedIn, webhooks::list::show),
        Route::get(NEW, ADD_WEBHOOKS, webhooks::new::show),
        Route::post(NEW, ADD_WEBHOOKS, webhooks::new::add),
        Route::action::<AddWebhook>(ADD_WEBHOOKS),
        Route::action::<CheckName>(ADD_WEBHOOKS),
        Route::action::<CheckUrl>(ADD_WEBHOOKS),
        Route::action::<ArrangeForm>(ADD_WEBHOOKS),
        Route::action::<PreviewFilter>(ADD_WEBHOOKS),
        Route::get(Webhook::PATH, SignedIn, webhooks::edit::show),
        Route::post(Webhook::PATH, EDIT_WEBHOOKS, webhooks::edit::change),
        Route::action::<EditWebhook>(EDIT_WEBHOOKS),
        Route::action::<PauseWebhook>(EDIT_WEBHOOKS),
        Route::action::<ResumeWebhook>(EDIT_WEBHOOKS),
        Route::action::<RevealSecret>(EDIT_WEBHOOKS),
        Route::action::<RotateSecret>(EDIT_WEBHOOKS),
        Route::get(WebhookDelete::PATH, DELETE_WEBHOOKS, webhooks::delete::show),
        Route::post(WebhookDelete::PATH, DELETE_WEBHOOKS, webhooks::delete::delete),
        Route::action::<DeleteWebhook>(DELETE_WEBHOOKS),
        Route::get(WebhookTest::PATH, SEND_TESTS, webhooks::test::show),
        Route::post(WebhookTest::PATH, SEND_TESTS, webhooks::test::send),
        Route::action::<SendTest>(SEND_TESTS),
        Route::get(WebhookRecover::PATH, RECOVER_DELIVERIES, webhooks::recover::show),
        Route::post(
            WebhookRecover::PATH,
            RECOVER_DELIVERIES,
            webhooks::recover::change,
        ),
        Route::get(
            WebhookRecoverLive::PATH,
            RECOVER_DELIVERIES,
            webhooks::recover::live::show,
        ),
        Route::action::<PreviewRecovery>(RECOVER_DELIVERIES),
        Route::action::<StartRecovery>(RECOVER_DELIVERIES),
        Route::action::<CancelRecovery>(RECOVER_DELIVERIES),
        // Deliveries and events.
        Route::get(DELIVERIES, SignedIn, deliveries::log::show_all),
        Route::get(DELIVERIES_LIVE, SignedIn, deliveries::log::live::show_all),
        Route::get(WebhookDeliveries::PATH, SignedIn, deliveries::log::show_webhook),
        Route::get(
            WebhookDeliveriesLive::PATH,
            SignedIn,
            deliveries::log::live::show_webhook,
        ),
        Route::get(Delivery::PATH, SignedIn, deliveries::one::show),
        Route::post(Delivery::PATH, RESEND_DELIVERIES, deliveries::one::resend),
        Route::action::<ResendDelivery>(RESEND_DELIVERIES),
        Route::get(
            DeliveryResponse::PATH,
            SignedIn,
            deliveries::one::attempt::show_response,
        ),
        Route::get(EVENTS, SignedIn, events::list::show),
        Route::get(Event::PATH, SignedIn, events::one::show),
        Route::get(EventBody::PATH, SignedIn, events::one::show_body),
        Route::get(EVENT_TYPES, SignedIn, docs::event_types::show),
        Route::get(EventTypeTest::PATH, SignedIn, docs::event_types::try_out),
        Route::get(GUIDE, SignedIn, docs::guide::show),
        // Settings.
        Route::get(ACCOUNT, SignedIn, settings::account::show),
        Route::post(ACCOUNT, SignedIn, settings::account::change),
        Route::action::<ChangePassword>(SignedIn),
        Route::action::<EndSession>(SignedIn),
        Route::action::<EndOtherSessions>(SignedIn),
        Route::get(TIME_ZONE, SignedIn, settings::time_zone::show),
        Route::post(TIME_ZONE, SignedIn, settings::time_zone::choose),
        Route::action::<SetTimeZone>(SignedIn),
        Route::post(THEME, SignedIn, settings::theme::choose),
        Route::action::<SetTheme>(SignedIn),
        Route::get(API_KEYS, MANAGE_API_KEYS, settings::api_keys::show),
        Route::get(API_KEY_NEW, MANAGE_API_KEYS, settings::api_keys::new::show),
        Route::post(API_KEY_NEW, MANAGE_API_KEYS, settings::api_keys::new::add),
        Route::action::<AddApiKey>(MANAGE_API_KEYS),
        Route::get(
            ApiKeyRevoke::PATH,
            MANAGE_API_KEYS,
            settings::api_keys::revoke::show,
        ),
        Route::post(
            ApiKeyRevoke::PATH,
            MANAGE_API_KEYS,
            settings::api_keys::revoke::revoke,
        ),
        Route::action::<RevokeApiKey>(MANAGE_API_KEYS),
        Route::get(USERS, MANAGE_USERS, settings::users::show),
        Route::post(USERS, MANAGE_USERS, settings::users::change),
        Route::action::<InviteUser>(MANAGE_USERS),
        Route::action::<RenewInvite>(MANAGE_USERS),
        Route::action::<RevokeInvite>(MANAGE_USERS),
        Route::get(User::PATH, MANAGE_USERS, settings::users::one::show),
        Route::post(User::PATH, MANAGE_USERS, settings::users::one::change),
        Route::action::<ChangeRole>(MANAGE_USERS),
        Route::action::<DisableUser>(MANAGE_USERS),
        Route::action::<EnableUser>(MANAGE_USERS),
        Route::get(AUDIT_LOG, VIEW_AUDIT_LOG, settings::audit_log::show),
        Route::get(AUDIT_EXPORT, VIEW_AUDIT_LOG, settings::audit_log::export::export),
    ]
}

const ADD_WEBHOOKS: Access = Requires(Member, "add webhooks");
const EDIT_WEBHOOKS: Access = Requires(Admin, "change webhooks");
const DELETE_WEBHOOKS: Access = Requires(Admin, "delete webhooks");
const SEND_TESTS: Access = Requires(Member, "send test events");
const RECOVER_DELIVERIES: Access = Requires(Member, "recover deliveries");
const RESEND_DELIVERIES: Access = Requires(Member, "resend deliveries");
const MANAGE_API_KEYS: Access = Requires(Admin, "manage API keys");
const MANAGE_USERS: Access = Requires(Admin, "manage users");
const VIEW_AUDIT_LOG: Access = Requires(Admin, "see the audit log");

/// Returns the router of the dashboard, including the error pages.
///
/// Requires the session layer around it. Its fallback is the page “Not found”, so it must be the last router.
pub fn router(ui: Ui) -> Router {
    let routes = routes().into_iter().fold(Router::new(), |router, route| {
        let authorize = from_fn_with_state((ui.clone(), route.access), authorize);
        router.route(route.path, route.handler.route_layer(authorize))
    });
    routes
        .fallback(|| async { PageError::NotFound })
        .method_not_allowed_fallback(|| async { PageError::WrongMethod })
        .layer(from_fn(clean_query::redirect))
        .layer(CatchPanicLayer::custom(|_| PageError::Broken.into_response()))
        .layer(origin::reject_others(ui.public_url.as_ref()))
        .layer(from_fn(origin::log_rejection))
        .layer(from_fn_with_state(ui.clone(), error_page::show))
        .with_state(ui)
}

async fn redirect_to_list() -> Redirect {
    Redirect::to(paths::LIST)
}
