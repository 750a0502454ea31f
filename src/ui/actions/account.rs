//! Changes of the user's own password and sessions.

use leptos::prelude::*;
use zeroize::Zeroizing;
#[cfg(feature = "ssr")]
use {
    super::serve::request_context,
    crate::{
        auth::{SignInError, password::NewPassword},
        domain::SessionId,
        ui::{components::count::pluralize, paths, request::flash::Flash},
    },
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
};

/// The forms of the page “Account”.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct AccountForm {
    pub old: Zeroizing<String>,
    pub new: Zeroizing<String>,
    /// ID of the session to end.
    pub session: String,
    /// The pressed button, without JavaScript.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// Changes the user's password and ends the user's other sessions.
#[server(prefix = "/settings/actions", endpoint = "change-password", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn change_password(form: Form<AccountForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let new = NewPassword::parse(&form.new).map_err(|error| Refusal::field("new", error.to_string()))?;
    let (auth, context) = (&ctx.ui.auth, ctx.audit_context());
    let changed = auth
        .change_password(&ctx.session, &context, &ctx.user, &form.old, &new, &ctx.client)
        .await;
    match changed {
        Ok(()) => {
            let flash =
                Flash::message("Your password was changed. Your other sessions have ended.".to_owned());
            Ok(ctx.redirect_with_flash(flash, paths::ACCOUNT).await)
        }
        Err(SignInError::WrongCredentials) => Err(Refusal::field("old", "This is not your password.")),
        Err(SignInError::TooManyFailures { retry_after }) => {
            let mut refusal = Refusal::rate_limited(retry_after);
            let message = std::mem::take(&mut refusal.message);
            Err(refusal.with_field("old", message))
        }
        Err(SignInError::Unavailable(error)) => Err(error.into()),
    }
}

/// Ends a session of the user.
#[server(prefix = "/settings/actions", endpoint = "end-session", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn end_session(form: Form<AccountForm>) -> Result<Outcome, Refusal> {
    let ctx = request_context();
    let id: SessionId = form.value.session.parse().map_err(|_| Refusal::not_found())?;
    let ended = ctx
        .ui
        .auth
        .end_session(&ctx.audit_context(), &ctx.user, &id)
        .await?;
    if !ended {
        return Err(Refusal::not_found());
    }
    let flash = Flash::message("The session was ended.".to_owned());
    Ok(ctx.redirect_with_flash(flash, paths::ACCOUNT).await)
}

/// Ends all other sessions of the user.
#[server(prefix = "/settings/actions", endpoint = "end-other-sessions", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn end_other_sessions(form: Form<AccountForm>) -> Result<Outcome, Refusal> {
    let (ctx, _) = (request_context(), form);
    let auth = &ctx.ui.auth;
    let message = match auth
        .end_other_sessions(&ctx.audit_context(), &ctx.user, &ctx.session)
        .await?
    {
        0 => "There were no other sessions.".to_owned(),
        n => format!("{} ended.", pluralize(n, "session was", "sessions were")),
    };
    Ok(ctx
        .redirect_with_flash(Flash::message(message), paths::ACCOUNT)
        .await)
}
