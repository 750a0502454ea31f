//! The table of routes: every screen, form and server function, and who may use it.

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
use tower_http::{catch_panic::CatchPanicLayer, csrf::CsrfLayer};

use super::{
    PageError, Ui,
    actions::{
        self, account::*, api_keys::*, deliveries::*, preferences::*, recoveries::*, secrets::*, users::*,
        webhooks::*,
    },
    layout::error_page,
    pages::{deliveries, docs, events, settings, sign_in, webhooks},
    paths::{self, *},
    request::{
        access::{
            Access::{self, Everybody, Needs, SignedIn},
            admit,
        },
        tidy_query,
    },
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

    /// A server function, at its own address.
    fn action<F: ServerFn>(access: Access) -> Self {
        Self::post(F::PATH, access, actions::serve::serve)
    }
}

/// Every route of the dashboard: the router is made of these and of nothing else.
///
/// The form of a page and the server functions that it calls stand together, with the same access.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/", Everybody, to_the_list),
        Route::get("/integrations", Everybody, to_the_list),
        Route::get(LOGIN, Everybody, sign_in::login::show),
        Route::post(LOGIN, Everybody, sign_in::login::sign_in),
        Route::post(LOGOUT, Everybody, sign_in::login::sign_out),
        Route::get(Invite::PATH, Everybody, sign_in::invite::show),
        Route::post(Invite::PATH, Everybody, sign_in::invite::accept),
        Route::get(API_DOCS, Everybody, docs::api::show),
        // Webhooks.
        Route::get(LIST, SignedIn, webhooks::list::show),
        Route::get(NEW, ADDS, webhooks::new::show),
        Route::post(NEW, ADDS, webhooks::new::add),
        Route::action::<AddWebhook>(ADDS),
        Route::action::<CheckName>(ADDS),
        Route::action::<CheckUrl>(ADDS),
        Route::get(Webhook::PATH, SignedIn, webhooks::edit::show),
        Route::post(Webhook::PATH, EDITS, webhooks::edit::change),
        Route::action::<EditWebhook>(EDITS),
        Route::action::<PauseWebhook>(EDITS),
        Route::action::<ResumeWebhook>(EDITS),
        Route::action::<RevealSecret>(EDITS),
        Route::action::<RotateSecret>(EDITS),
        Route::get(WebhookDelete::PATH, DELETES, webhooks::delete::show),
        Route::post(WebhookDelete::PATH, DELETES, webhooks::delete::delete),
        Route::action::<DeleteWebhook>(DELETES),
        Route::get(WebhookTest::PATH, TESTS, webhooks::test::show),
        Route::post(WebhookTest::PATH, TESTS, webhooks::test::send),
        Route::action::<SendTest>(TESTS),
        Route::get(WebhookRecover::PATH, RECOVERS, webhooks::recover::show),
        Route::post(WebhookRecover::PATH, RECOVERS, webhooks::recover::change),
        Route::get(WebhookRecoverLive::PATH, RECOVERS, webhooks::recover::live::watch),
        Route::action::<PreviewRecovery>(RECOVERS),
        Route::action::<StartRecovery>(RECOVERS),
        Route::action::<CancelRecovery>(RECOVERS),
        // Deliveries and events.
        Route::get(DELIVERIES, SignedIn, deliveries::log::of_all),
        Route::get(DELIVERIES_LIVE, SignedIn, deliveries::log::live::of_all),
        Route::get(WebhookDeliveries::PATH, SignedIn, deliveries::log::of_one),
        Route::get(
            WebhookDeliveriesLive::PATH,
            SignedIn,
            deliveries::log::live::of_one,
        ),
        Route::get(Delivery::PATH, SignedIn, deliveries::one::show),
        Route::post(Delivery::PATH, RESENDS, deliveries::one::resend),
        Route::action::<ResendDelivery>(RESENDS),
        Route::get(EVENTS, SignedIn, events::list::show),
        Route::get(Event::PATH, SignedIn, events::one::show),
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
        Route::get(API_KEYS, KEYS, settings::api_keys::show),
        Route::get(API_KEY_NEW, KEYS, settings::api_keys::new::show),
        Route::post(API_KEY_NEW, KEYS, settings::api_keys::new::add),
        Route::action::<AddApiKey>(KEYS),
        Route::get(ApiKeyRevoke::PATH, KEYS, settings::api_keys::revoke::show),
        Route::post(ApiKeyRevoke::PATH, KEYS, settings::api_keys::revoke::revoke),
        Route::action::<RevokeApiKey>(KEYS),
        Route::get(USERS, MANAGES, settings::users::show),
        Route::post(USERS, MANAGES, settings::users::change),
        Route::action::<InviteUser>(MANAGES),
        Route::action::<RenewInvite>(MANAGES),
        Route::action::<RevokeInvite>(MANAGES),
        Route::get(User::PATH, MANAGES, settings::users::one::show),
        Route::post(User::PATH, MANAGES, settings::users::one::change),
        Route::action::<ChangeRole>(MANAGES),
        Route::action::<DisableUser>(MANAGES),
        Route::action::<EnableUser>(MANAGES),
        Route::get(AUDIT_LOG, AUDITS, settings::audit_log::show),
        Route::get(AUDIT_EXPORT, AUDITS, settings::audit_log::export::export),
    ]
}

const ADDS: Access = Needs(Member, "add webhooks");
const EDITS: Access = Needs(Admin, "change webhooks");
const DELETES: Access = Needs(Admin, "delete webhooks");
const TESTS: Access = Needs(Member, "send test events");
const RECOVERS: Access = Needs(Member, "recover deliveries");
const RESENDS: Access = Needs(Member, "resend deliveries");
const KEYS: Access = Needs(Admin, "manage API keys");
const MANAGES: Access = Needs(Admin, "manage users");
const AUDITS: Access = Needs(Admin, "see the audit log");

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
        .layer(from_fn_with_state(ui.clone(), error_page::show))
        .with_state(ui)
}

async fn to_the_list() -> Redirect {
    Redirect::to(paths::LIST)
}
