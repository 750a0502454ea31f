//! Server functions for recoveries: preview, start and cancel.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{once::Done, refusal::Reason, serve::request_context, webhooks::webhook_id},
    crate::{
        domain::{Timestamp, WebhookStatus},
        store::{RecoveryRange, RecoveryStart},
        ui::{
            components::recovery_preview::RecoveryPreviewSection,
            layout::fragment::Fragment,
            paths,
            request::{
                flash::Flash,
                recovery_range::{is_scope, is_time, recovery_range},
                zone::Zone,
            },
        },
    },
    leptos::server_fn::ServerFn,
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
};

/// The forms of the page “Recover”.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize, serde::Serialize), serde(default))]
pub struct RecoveryForm {
    /// ID of the webhook.
    pub id: String,
    pub scope: String,
    /// RFC 3339, or the value of a `datetime-local` field in the user's time zone.
    pub since: String,
    /// ID of the recovery to cancel.
    pub recovery: String,
    /// Token of the rendered form.
    pub submission: String,
}

/// Shows the deliveries that a recovery would send.
#[server(prefix = "/integrations/webhook/actions", endpoint = "preview-recovery", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn preview_recovery(form: Form<RecoveryForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let (now, zone) = (ctx.now, &ctx.preferences.zone);
    let webhook = ctx.webhook(&webhook_id(&form.id)?).await?;
    let range = form.range(zone, now)?;
    let preview = ctx
        .ui
        .webhooks
        .preview_recovery(&ctx.actor(), &webhook.id, range)
        .await?;
    let can_start = !matches!(webhook.status, WebhookStatus::Paused | WebhookStatus::Disabled);
    Ok(Outcome::part(Fragment::render(zone, || {
        view! { <RecoveryPreviewSection id=webhook.id range preview can_start start=StartRecovery::PATH now/> }
    })))
}

/// Starts a recovery in the background.
#[server(prefix = "/integrations/webhook/actions", endpoint = "start-recovery", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn start_recovery(form: Form<RecoveryForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let id = webhook_id(&form.id)?;
    let range = form.range(&ctx.preferences.zone, ctx.now)?;
    let (webhooks, actor) = (ctx.ui.webhooks.clone(), ctx.actor());
    let change = async move {
        let (_, started) = webhooks.recover(&actor, &id, range).await?;
        let message = match started {
            RecoveryStart::Started => "The recovery has started.",
            RecoveryStart::AlreadyRunning => "Not started: another recovery of this webhook is running.",
            RecoveryStart::WebhookInactive => "Not started: resume the webhook first.",
            RecoveryStart::NotFound => return Err(Refusal::not_found()),
        };
        let flash = Flash::message(message.to_owned());
        Ok(Done::flash(flash, paths::recover(&id)))
    };
    ctx.once(StartRecovery::PATH, &form.submission, &form, change)
        .await
}

/// Cancels a running recovery.
#[server(prefix = "/integrations/webhook/actions", endpoint = "cancel-recovery", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn cancel_recovery(form: Form<RecoveryForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let id = webhook_id(&form.id)?;
    let recovery = form.recovery.parse().map_err(|_| Refusal::not_found())?;
    let cancelled = ctx
        .ui
        .webhooks
        .cancel_recovery(&ctx.actor(), &id, &recovery)
        .await?;
    let message = if cancelled {
        "The recovery was cancelled."
    } else {
        "The recovery had already ended."
    };
    let flash = Flash::message(message.to_owned());
    Ok(ctx.redirect_with_flash(flash, &paths::recover(&id)).await)
}

#[cfg(feature = "ssr")]
impl RecoveryForm {
    /// Returns the range that ends now, with defaults for empty fields.
    fn range(&self, zone: &Zone, now: Timestamp) -> Result<RecoveryRange, Refusal> {
        if !is_scope(&self.scope) {
            return Err(Refusal::with_message(Reason::Invalid, "Choose what to recover."));
        }
        if !is_time(&self.since, zone) {
            return Err(Refusal::field("since", "Enter a date and time."));
        }
        Ok(recovery_range(&self.scope, &self.since, zone, now))
    }
}
