//! Revealing and rotating a webhook's secret.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::{refusal::Reason, serve::visit},
    crate::ui::{
        components::shown_secret::{Overlap, ShownSecret},
        layout::fragment::Fragment,
    },
};

use super::{
    outcome::Outcome,
    protocol::{Call, Form},
    refusal::Refusal,
    webhooks::WebhookForm,
};

/// Shows the secret, after that was written to the audit log.
#[server(prefix = "/integrations/webhook/actions", endpoint = "reveal-secret", protocol = Call, input_derive = (Clone,))]
pub async fn reveal_secret(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let webhook = visit.webhook(&form.value.id()?).await?;
    let secret = visit.ui.webhooks.reveal(&visit.actor(), &webhook.id).await?;
    let (previous_until, now) = (webhook.previous_secret_until, visit.now);
    Ok(Outcome::part(Fragment::render(&visit.preferences.zone, || {
        view! { <ShownSecret secret is_new=false previous_until now/> }
    })))
}

/// Replaces the secret, and shows the new one.
#[server(prefix = "/integrations/webhook/actions", endpoint = "rotate-secret", protocol = Call, input_derive = (Clone,))]
pub async fn rotate_secret(form: Form<WebhookForm>) -> Result<Outcome, Refusal> {
    let (visit, form) = (visit(), form.value);
    let before = visit.webhook(&form.id()?).await?;
    // Without JavaScript the answer is a page, and reloading that page posts the form again: a second rotation would end
    // the overlap of the first. So the form has to know the newest version.
    if form.version.is_some_and(|seen| seen != before.version) {
        let text = "Not rotated: the webhook was changed since this form was opened.";
        return Err(Refusal::because(Reason::Stale, text));
    }
    let overlap = Overlap::parse(&form.overlap);
    let (webhook, secret) = visit
        .ui
        .webhooks
        .rotate(&visit.actor(), &before.id, overlap)
        .await?;
    let (previous_until, now) = (webhook.previous_secret_until, visit.now);
    let part = Fragment::render(&visit.preferences.zone, || {
        view! { <ShownSecret secret is_new=true previous_until now/> }
    });
    Ok(Outcome {
        part: Some(part),
        version: Some(webhook.version),
        ..Outcome::default()
    })
}
