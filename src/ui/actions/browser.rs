//! Calls server functions by path, in the browser.

use std::pin::Pin;

use leptos::server_fn::ServerFn;

use super::{
    account::*, api_keys::*, deliveries::*, outcome::Outcome, preferences::*, protocol::EncodedForm,
    recoveries::*, refusal::Refusal, secrets::*, users::*, webhooks::*,
};

type OutcomeFuture = Pin<Box<dyn Future<Output = Result<Outcome, Refusal>>>>;

macro_rules! functions {
    ($path:ident, $form:ident: $($call:ident $argument:ident)*) => {
        match $path {
            $(<$argument as ServerFn>::PATH => Box::pin($call($form.into())),)*
            _ => return None,
        }
    };
}

/// Calls the server function at `path`. Returns `None` if this script does not know it.
pub fn call(path: &str, form: EncodedForm) -> Option<OutcomeFuture> {
    Some(functions! { path, form:
        add_webhook AddWebhook
        edit_webhook EditWebhook
        delete_webhook DeleteWebhook
        pause_webhook PauseWebhook
        resume_webhook ResumeWebhook
        reveal_secret RevealSecret
        rotate_secret RotateSecret
        send_test SendTest
        preview_recovery PreviewRecovery
        start_recovery StartRecovery
        cancel_recovery CancelRecovery
        resend_delivery ResendDelivery
        add_api_key AddApiKey
        revoke_api_key RevokeApiKey
        invite_user InviteUser
        renew_invite RenewInvite
        revoke_invite RevokeInvite
        change_role ChangeRole
        disable_user DisableUser
        enable_user EnableUser
        change_password ChangePassword
        end_session EndSession
        end_other_sessions EndOtherSessions
        set_time_zone SetTimeZone
        set_theme SetTheme
    })
}
