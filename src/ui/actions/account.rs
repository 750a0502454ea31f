//! One's own password and sessions.

use leptos::prelude::*;
use zeroize::Zeroizing;
#[cfg(feature = "ssr")]
use {
    super::serve::visit,
    crate::{
        auth::{SignInError, password::NewPassword},
        domain::SessionId,
        ui::{components::count::counted, paths, request::flash::Flash},
    },
};

use super::{
    outcome::Outcome,
    protocol::{Call, Form},
    refusal::Refusal,
};

/// The forms of one's account.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct AccountForm {
    pub old: Zeroizing<String>,
    pub new: Zeroizing<String>,
    /// Of the session to end.
    pub session: String,
    /// Which button was pressed, in a form without JavaScript.
    #[cfg_attr(feature = "ssr", serde(rename = "do"))]
    pub button: String,
}

/// Changes one's own password, and ends one's other sessions.
#[server(prefix = "/settings/actions", endpoint = "change-password", protocol = Call, input_derive = (Clone,))]
pub async fn change_password(form: Form<AccountForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let new = NewPassword::parse(&form.new).map_err(|error| Refusal::field("new", error.to_string()))?;
    let (auth, context) = (&visit.ui.auth, visit.context());
    let changed = auth
        .change_password(
            &visit.session,
            &context,
            &visit.user,
            &form.old,
            &new,
            &visit.client,
        )
        .await;
    match changed {
        Ok(()) => {
            let flash = Flash::plain("Your password was changed. Your other sessions have ended.".to_owned());
            Ok(visit.done(flash, paths::ACCOUNT).await)
        }
        Err(SignInError::Wrong) => Err(Refusal::field("old", "This is not your password.")),
        Err(SignInError::TooMany { retry_after }) => {
            let mut refusal = Refusal::rate_limited(retry_after);
            let message = std::mem::take(&mut refusal.message);
            Err(refusal.and_field("old", message))
        }
        Err(SignInError::Unavailable(error)) => Err(error.into()),
    }
}

/// Ends one of one's own sessions.
#[server(prefix = "/settings/actions", endpoint = "end-session", protocol = Call, input_derive = (Clone,))]
pub async fn end_session(form: Form<AccountForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let id: SessionId = form.value.session.parse().map_err(|_| Refusal::not_found())?;
    let ended = visit
        .ui
        .auth
        .end_session(&visit.context(), &visit.user, &id)
        .await?;
    if !ended {
        return Err(Refusal::not_found());
    }
    let flash = Flash::plain("The session was ended.".to_owned());
    Ok(visit.done(flash, paths::ACCOUNT).await)
}

/// Ends all of one's own sessions but this one.
#[server(prefix = "/settings/actions", endpoint = "end-other-sessions", protocol = Call, input_derive = (Clone,))]
pub async fn end_other_sessions(form: Form<AccountForm>) -> Result<Outcome, Refusal> {
    let (visit, _) = (visit(), form);
    let auth = &visit.ui.auth;
    let message = match auth
        .end_other_sessions(&visit.context(), &visit.user, &visit.session)
        .await?
    {
        0 => "There was no other session.".to_owned(),
        n => format!("{} ended.", counted(n, "session was", "sessions were")),
    };
    Ok(visit.done(Flash::plain(message), paths::ACCOUNT).await)
}
