//! Held deliveries of paused webhooks.

use std::{collections::HashMap, time::Duration};

use leptos::prelude::*;

use crate::{
    domain::{Timestamp, WebhookId},
    ui::{
        components::{count::format_open_deliveries, time_ago::TimeAgo},
        request::context::RequestContext,
    },
};

/// Time before the first held delivery is dropped in which the list warns of it.
const WARNING_PERIOD: Duration = Duration::from_secs(7 * 24 * 60 * 60);

#[derive(Debug, Clone, Copy)]
pub struct Held {
    pub count: u64,
    /// Time when the first one is dropped, because its event expires.
    pub dropped_from: Timestamp,
}

impl Held {
    /// Returns the held deliveries of each of these webhooks that has any. Pages are useful without them, so an error is
    /// only logged.
    pub async fn load(ctx: &RequestContext, paused: &[WebhookId]) -> HashMap<WebhookId, Self> {
        let held = ctx.account().held_deliveries(paused).await;
        let held = held.inspect_err(|error| tracing::warn!(%error, "failed to count held deliveries"));
        let retention = ctx.ui.delivery_policy.retention;
        let held = held.unwrap_or_default().into_iter().map(|(id, held)| {
            let dropped_from = held.oldest.plus(retention);
            (
                id,
                Self {
                    count: held.count,
                    dropped_from,
                },
            )
        });
        held.collect()
    }
}

/// The number of held deliveries, with a warning before the first one is dropped.
#[component]
pub fn HeldCount(held: Held, now: Timestamp) -> impl IntoView {
    let warning = (held.dropped_from < now.plus(WARNING_PERIOD))
        .then(|| view! { ", the first dropped "<TimeAgo at=held.dropped_from now/> });
    view! { <span class="badge__reason">{format_open_deliveries(held.count)}" held"{warning}</span> }
}

/// The number of held deliveries, when they are dropped, and the choice to send or drop them when the webhook is resumed.
#[component]
pub fn HeldChoice(held: Held, may_edit: bool, now: Timestamp) -> impl IntoView {
    let verb = if held.count == 1 { "is" } else { "are" };
    let text = format!("Paused: {} {verb} held.", format_open_deliveries(held.count));
    let expiry = view! {
        "Held deliveries are dropped when their events expire, the first "<TimeAgo at=held.dropped_from now/>"."
    };
    if !may_edit {
        return view! { <p class="notice notice--warning">{text}" "{expiry}</p> }.into_any();
    }
    view! {
        <fieldset class="notice notice--warning held">
            <legend class="held__text">{text}" When the webhook is resumed:"</legend>
            <div class="held__choice">
                <input id="held-send" type="radio" name="held" value="send" checked=true/>
                <label for="held-send">"Send them"</label>
            </div>
            <div class="held__choice">
                <input id="held-drop" type="radio" name="held" value="drop"/>
                <label for="held-drop">"Drop them"</label>
            </div>
            <p class="held__expiry">{expiry}</p>
        </fieldset>
    }
    .into_any()
}
