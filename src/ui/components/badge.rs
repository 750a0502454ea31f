//! Status badges. Each has a label, a color and an icon, so that the status never depends on color alone.

use leptos::prelude::*;

use crate::{
    domain::{
        DeliveryStatus, Timestamp, Webhook, WebhookStatus,
        health::{self, RecentAttempts},
    },
    store::KeyState,
    ui::{
        components::{
            icon::{Glyph, Icon},
            time_ago::TimeAgo,
        },
        labels::{Label, disabled_reason},
    },
};

/// The status of a webhook with its explanation, except the number of held deliveries.
#[component]
pub fn WebhookBadge<'a>(webhook: &'a Webhook, now: Timestamp) -> impl IntoView + use<> {
    let (tone, glyph) = match webhook.status {
        WebhookStatus::Active => ("good", Glyph::Check),
        WebhookStatus::Degraded => ("waiting", Glyph::Warning),
        WebhookStatus::Failing => ("bad", Glyph::Warning),
        WebhookStatus::Paused => ("waiting", Glyph::Pause),
        WebhookStatus::Disabled => ("quiet", Glyph::Slash),
    };
    let explanation = match (webhook.status, webhook.failing, webhook.disabled_reason) {
        (WebhookStatus::Degraded, ..) => {
            let RecentAttempts { total, failed } = webhook.recent_attempts;
            let explanation = match total {
                1 => "the only attempt failed".to_owned(),
                _ => format!("{failed} of the last {total} attempts failed"),
            };
            Some(explanation.into_any())
        }
        (WebhookStatus::Failing, Some(series), _) => {
            let disabled_at = series.since.plus(health::DISABLE_AFTER);
            let view = view! {
                "since "<TimeAgo at=series.since now/>
                {(disabled_at > now).then(|| view! { ", disabled "<TimeAgo at=disabled_at now/>" at the earliest" })}
            };
            Some(view.into_any())
        }
        (WebhookStatus::Disabled, _, Some(reason)) => {
            Some(format!("because {}", disabled_reason(reason)).into_any())
        }
        _ => None,
    };
    view! {
        <Badge tone glyph label=webhook.status.label()/>
        {explanation.map(|explanation| view! { <span class="badge__reason">{explanation}</span> })}
    }
}

#[component]
pub fn DeliveryBadge(status: DeliveryStatus) -> impl IntoView {
    let (tone, glyph) = match status {
        DeliveryStatus::Pending => ("waiting", Glyph::Clock),
        DeliveryStatus::Held => ("waiting", Glyph::Pause),
        DeliveryStatus::Delivered => ("good", Glyph::Check),
        DeliveryStatus::Failed => ("bad", Glyph::Cross),
        DeliveryStatus::Cancelled => ("quiet", Glyph::Slash),
    };
    view! { <Badge tone glyph label=status.label()/> }
}

#[component]
pub fn KeyBadge(state: KeyState) -> impl IntoView {
    let (tone, glyph, label) = match state {
        KeyState::Active => ("good", Glyph::Check, "Active"),
        KeyState::Expired => ("quiet", Glyph::Clock, "Expired"),
        KeyState::Revoked => ("quiet", Glyph::Slash, "Revoked"),
    };
    view! { <Badge tone glyph label/> }
}

/// The outcome of an attempt: `200`, `Timed out`.
#[component]
pub fn ResultBadge(succeeded: bool, #[prop(into)] label: String) -> impl IntoView {
    let (tone, glyph) = if succeeded {
        ("good", Glyph::Check)
    } else {
        ("bad", Glyph::Cross)
    };
    view! { <Badge tone glyph label/> }
}

#[component]
fn Badge(tone: &'static str, glyph: Glyph, #[prop(into)] label: String) -> impl IntoView {
    view! { <span class=format!("badge badge--{tone}")><Icon glyph/>{label}</span> }
}

/// Marks a webhook that an event was not sent to.
#[component]
pub fn NotSentBadge() -> impl IntoView {
    view! { <Badge tone="quiet" glyph=Glyph::Slash label="Not sent"/> }
}

#[component]
pub fn UserBadge(is_active: bool) -> impl IntoView {
    if is_active {
        view! { <Badge tone="good" glyph=Glyph::Check label="Active"/> }
    } else {
        view! { <Badge tone="quiet" glyph=Glyph::Slash label="Disabled"/> }
    }
}

/// The state of an open invite.
#[component]
pub fn InviteBadge(expired: bool) -> impl IntoView {
    if expired {
        view! { <Badge tone="quiet" glyph=Glyph::Clock label="Invite expired"/> }
    } else {
        view! { <Badge tone="waiting" glyph=Glyph::Clock label="Invited"/> }
    }
}

/// Marks the session of the current request in the list of sessions.
#[component]
pub fn CurrentBadge() -> impl IntoView {
    view! { <Badge tone="good" glyph=Glyph::Check label="This session"/> }
}
