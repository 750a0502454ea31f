//! Server functions to reveal and rotate the secret of a webhook.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{refusal::Reason, serve::request_context},
    crate::ui::{
        components::shown_secret::{Overlap, ShownSecret},
        layout::fragment::Fragment,
    },
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
    webhooks::WebhookForm,
};

/// Shows the secret. The access is recorded in the audit log first.
#[server(prefix = "/integrations/webhook/actions", endpoint = "reveal-secret", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn reveal_secret(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let ctx = request_context();
    let webhook = ctx.webhook(&form.value.id()?).await?;
    let secret = ctx.ui.webhooks.reveal(&ctx.actor(), &webhook.id).await?;
    let (previous_until, now) = (webhook.previous_secret_until, ctx.now);
    Ok(Outcome::part(Fragment::render(&ctx.preferences.zone, || {
        view! { <ShownSecret secret is_new=false previous_until now/> }
    })))
}

/// Rotates the secret and shows the new one.
#[server(prefix = "/integrations/webhook/actions", endpoint = "rotate-secret", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn rotate_secret(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (ctx, form) = (request_context(), form.value);
    let before = ctx.webhook(&form.id()?).await?;
    // Without JavaScript, reloading the result page posts the form again. A second rotation would end the overlap of the
    // first, so the form must have the current version.
    if form.version.is_some_and(|seen| seen != before.version) {
        let text = "Not rotated: the webhook was changed since this form was opened.";
        return Err(Refusal::with_message(Reason::Stale, text));
    }
    let overlap = Overlap::parse(&form.overlap);
    let (webhook, secret) = ctx.ui.webhooks.rotate(&ctx.actor(), &before.id, overlap).await?;
    let (previous_until, now) = (webhook.previous_secret_until, ctx.now);
    let part = Fragment::render(&ctx.preferences.zone, || {
        view! { <ShownSecret secret is_new=true previous_until now/> }
    });
    Ok(Outcome {
        part: Some(part),
        version: Some(webhook.version),
        ..Outcome::default()
    })
}
