//! Resending deliveries.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::serve::visit,
    crate::{
        domain::DeliveryId,
        store::Resent,
        ui::{paths, request::flash::Flash},
    },
};

use super::{
    outcome::Outcome,
    protocol::{Call, Form},
    refusal::Refusal,
};

/// Names a delivery.
#[derive(Clone, Default)]
#[cfg_attr(feature = "ssr", derive(serde::Deserialize), serde(default))]
pub struct DeliveryRef {
    pub id: String,
}

/// Sends a delivery once more.
#[server(prefix = "/integrations/webhook/actions", endpoint = "resend", protocol = Call, input_derive = (Clone,))]
pub async fn resend_delivery(delivery: Form<DeliveryRef>) -> Result<Outcome, Refusal> {
    let visit = visit();
    let id: DeliveryId = delivery.value.id.parse().map_err(|_| Refusal::not_found())?;
    let resent = visit.ui.webhooks.resend(&visit.actor(), &id).await?;
    let message = match resent.ok_or_else(Refusal::not_found)? {
        Resent::Due => "It is being sent again.",
        Resent::UnderWay => "It is being sent at this moment.",
        Resent::Held => "The webhook is paused: it will be sent when that is resumed.",
        Resent::Disabled => "Nothing was sent: the webhook is disabled. Resume it first.",
        Resent::Deleted => "Nothing was sent: the webhook was deleted.",
    };
    let flash = Flash::plain(message.to_owned());
    Ok(visit.done(flash, &paths::delivery(&id)).await)
}
