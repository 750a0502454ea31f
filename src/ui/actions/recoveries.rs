//! Sending again what a webhook has missed: looking first, starting, cancelling.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{serve::visit, webhooks::webhook_id},
    crate::{
        domain::WebhookStatus,
        store::Started,
        ui::{
            components::recovery_preview::RecoveryPreviewPart,
            layout::fragment::Fragment,
            paths,
            request::{flash::Flash, recovery_range::range},
        },
    },
    leptos::server_fn::ServerFn,
};

use super::{
    outcome::Outcome,
    protocol::{Call, Form},
    refusal::Refusal,
};

/// What to recover, or which recovery.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct RecoveryForm {
    /// Of the webhook.
    pub id: String,
    pub scope: String,
    /// RFC 3339, or as a browser's field has it, in the viewer's time zone.
    pub since: String,
    /// Of the recovery to cancel.
    pub recovery: String,
}

/// Shows what a recovery would send.
#[server(prefix = "/integrations/webhook/actions", endpoint = "preview-recovery", protocol = Call, input_derive = (Clone,))]
pub async fn preview_recovery(form: Form<RecoveryForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let (now, zone) = (visit.now, &visit.preferences.zone);
    let webhook = visit.webhook(&webhook_id(&form.id)?).await?;
    let wanted = range(&form.scope, &form.since, zone, now);
    let preview = visit
        .ui
        .webhooks
        .preview_recovery(&visit.actor(), &webhook.id, wanted)
        .await?;
    let can_start = !matches!(webhook.status, WebhookStatus::Paused | WebhookStatus::Disabled);
    Ok(Outcome::part(Fragment::render(zone, || {
        view! { <RecoveryPreviewPart id=webhook.id wanted preview can_start start=StartRecovery::PATH now/> }
    })))
}

/// Starts a recovery in the background.
#[server(prefix = "/integrations/webhook/actions", endpoint = "start-recovery", protocol = Call, input_derive = (Clone,))]
pub async fn start_recovery(form: Form<RecoveryForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let id = webhook_id(&form.id)?;
    let wanted = range(&form.scope, &form.since, &visit.preferences.zone, visit.now);
    let (_, started) = visit.ui.webhooks.recover(&visit.actor(), &id, wanted).await?;
    let message = match started {
        Started::Running => "The recovery has started.",
        Started::AnotherRuns => "Nothing was started: another recovery of this webhook still runs.",
        Started::Stopped => "Nothing was started: resume the webhook first.",
        Started::NotFound => return Err(Refusal::not_found()),
    };
    let flash = Flash::plain(message.to_owned());
    Ok(visit.done(flash, &paths::recover(&id)).await)
}

/// Cancels a recovery that still runs.
#[server(prefix = "/integrations/webhook/actions", endpoint = "cancel-recovery", protocol = Call, input_derive = (Clone,))]
pub async fn cancel_recovery(form: Form<RecoveryForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let id = webhook_id(&form.id)?;
    let recovery = form.recovery.parse().map_err(|_| Refusal::not_found())?;
    let cancelled = visit
        .ui
        .webhooks
        .cancel_recovery(&visit.actor(), &id, &recovery)
        .await?;
    let message = if cancelled {
        "The recovery was cancelled."
    } else {
        "There was nothing to cancel: it had ended."
    };
    let flash = Flash::plain(message.to_owned());
    Ok(visit.done(flash, &paths::recover(&id)).await)
}
