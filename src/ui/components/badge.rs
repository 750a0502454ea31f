//! Where something stands: a word, a colour and a shape, so that none of them is needed alone.

use leptos::prelude::*;

use crate::{
    domain::{DeliveryStatus, DisabledReason, WebhookStatus},
    store::KeyState,
    ui::{
        components::icon::{Glyph, Icon},
        words::{Label, because},
    },
};

#[component]
pub fn WebhookBadge(
    status: WebhookStatus,
    #[prop(optional_no_strip)] reason: Option<DisabledReason>,
) -> impl IntoView {
    let (tone, glyph) = match status {
        WebhookStatus::Active => ("good", Glyph::Check),
        WebhookStatus::Failing => ("bad", Glyph::Warning),
        WebhookStatus::Paused => ("waiting", Glyph::Pause),
        WebhookStatus::Disabled => ("quiet", Glyph::Slash),
    };
    view! {
        <Badge tone glyph label=status.label()/>
        {reason.map(|reason| view! { <span class="badge__reason">{format!("because {}", because(reason))}</span> })}
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

/// An attempt by what came of it: `200`, `Timed out`.
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

/// An event at a webhook that did not get it.
#[component]
pub fn NotSentBadge() -> impl IntoView {
    view! { <Badge tone="quiet" glyph=Glyph::Slash label="Not sent"/> }
}

#[component]
pub fn PersonBadge(is_active: bool) -> impl IntoView {
    if is_active {
        view! { <Badge tone="good" glyph=Glyph::Check label="Active"/> }
    } else {
        view! { <Badge tone="quiet" glyph=Glyph::Slash label="Disabled"/> }
    }
}

/// Somebody who is not a user yet.
#[component]
pub fn InviteBadge(expired: bool) -> impl IntoView {
    if expired {
        view! { <Badge tone="quiet" glyph=Glyph::Clock label="Invite expired"/> }
    } else {
        view! { <Badge tone="waiting" glyph=Glyph::Clock label="Invited"/> }
    }
}

/// The session that looks at the list.
#[component]
pub fn CurrentBadge() -> impl IntoView {
    view! { <Badge tone="good" glyph=Glyph::Check label="This session"/> }
}
