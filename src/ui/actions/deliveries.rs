//! Server functions for deliveries.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::serve::request_context,
    crate::{
        domain::DeliveryId,
        store::ResendOutcome,
        ui::{paths, request::flash::Flash},
    },
};

use super::{
    outcome::Outcome,
    protocol::{Form, FormProtocol},
    refusal::Refusal,
};

/// Identifies a delivery.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct DeliveryRef {
    pub id: String,
}

/// Resends a delivery.
#[server(prefix = "/integrations/webhook/actions", endpoint = "resend", protocol = FormProtocol, input_derive = (Clone,))]
pub async fn resend_delivery(delivery: Form<DeliveryRef>) -> Result<Outcome, Refusal> {
    let ctx = request_context();
    let id: DeliveryId = delivery.value.id.parse().map_err(|_| Refusal::not_found())?;
    let resent = ctx.ui.webhooks.resend(&ctx.actor(), &id).await?;
    let message = match resent.ok_or_else(Refusal::not_found)? {
        ResendOutcome::Due => "It is being sent again.",
        ResendOutcome::InProgress => "It is being sent right now.",
        ResendOutcome::Held => "The webhook is paused. The delivery will be sent when you resume it.",
        ResendOutcome::Disabled => "Not sent: the webhook is disabled. Resume it first.",
        ResendOutcome::Deleted => "Not sent: the webhook was deleted.",
    };
    let flash = Flash::message(message.to_owned());
    Ok(ctx.redirect_with_flash(flash, &paths::delivery(&id)).await)
}
