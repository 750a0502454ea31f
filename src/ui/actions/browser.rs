//! Calls server functions by path, in the browser.

use leptos::server_fn::ServerFn;

use super::{
    account::*,
    api_keys::*,
    deliveries::*,
    outcome::Outcome,
    preferences::*,
    protocol::{
        EncodedForm,
        browser::{self, ResultFuture},
    },
    recoveries::*,
    secrets::*,
    users::*,
    webhook_options::*,
    webhooks::*,
};

/// The functions that forms call. One call for all of them is 0.9 kB smaller, compressed, than their generated clients.
const PATHS: &[&str] = &[
    AddWebhook::PATH,
    EditWebhook::PATH,
    DeleteWebhook::PATH,
    PauseWebhook::PATH,
    ResumeWebhook::PATH,
    ArrangeForm::PATH,
    PreviewFilter::PATH,
    RevealSecret::PATH,
    RotateSecret::PATH,
    SendTest::PATH,
    PreviewRecovery::PATH,
    StartRecovery::PATH,
    CancelRecovery::PATH,
    ResendDelivery::PATH,
    AddApiKey::PATH,
    RevokeApiKey::PATH,
    InviteUser::PATH,
    RenewInvite::PATH,
    RevokeInvite::PATH,
    ChangeRole::PATH,
    DisableUser::PATH,
    EnableUser::PATH,
    ChangePassword::PATH,
    EndSession::PATH,
    EndOtherSessions::PATH,
    SetTimeZone::PATH,
    SetTheme::PATH,
];

/// Calls the server function at `path`. Returns `None` if this script does not know it.
pub fn call(path: &str, form: &EncodedForm) -> Option<ResultFuture<Outcome>> {
    PATHS.contains(&path).then(|| browser::call(path, form.as_str()))
}
