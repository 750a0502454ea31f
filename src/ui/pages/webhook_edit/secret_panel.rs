//! The secret that is in use: hidden, until an admin asks for it or rotates it.

use leptos::prelude::*;

use super::{super::webhook_secret::OVERLAPS, ShownSecret};
use crate::{
    domain::{Timestamp, Webhook},
    ui::{
        components::time_ago::{Moment, span},
        islands::copy_button::CopyButton,
        paths,
        query::ListQuery,
    },
};

/// Its buttons post the whole form to their own addresses, so that unsaved edits come back with the answer.
#[component]
pub fn SecretPanel(
    webhook: Webhook,
    shown: Option<ShownSecret>,
    query: ListQuery,
    now: Timestamp,
) -> impl IntoView {
    let (reveal, rotate) = (
        query.on(&paths::reveal(&webhook.id)),
        query.on(&paths::rotate(&webhook.id)),
    );
    let previous = webhook
        .previous_secret_until
        .filter(|until| *until > now)
        .map(|until| {
            view! {
                <p class="secrets__previous">
                    {format!("The one before signs too, for another {}: until ", span(until.since(now)))}
                    <Moment at=until now/>"."
                </p>
            }
        });
    let overlaps = OVERLAPS.map(|overlap| {
        view! { <option value=overlap.hours selected=overlap.is_default()>{overlap.label}</option> }
    });
    let current = match shown {
        Some(shown) => view! { <Shown shown/> }.into_any(),
        None => view! {
            <p class="secrets__hidden">
                <code>"••••••••••••••••••••••••"</code>
                <button class="button button--small" type="submit" formaction=reveal>"Reveal"</button>
            </p>
        }
        .into_any(),
    };
    view! {
        <div class="secrets">
            <p class="secrets__title">"Current secret"</p>
            {current}
            {previous}
            <div class="secrets__rotate">
                <label for="overlap">"After a rotation, the old one signs for another"</label>
                <select id="overlap" name="overlap">{overlaps.collect_view()}</select>
                <button class="button button--small" type="submit" formaction=rotate>"Rotate"</button>
            </div>
        </div>
    }
}

/// Takes the focus, since it is what was asked for.
#[component]
fn Shown(shown: ShownSecret) -> impl IntoView {
    let ShownSecret { secret, is_new } = shown;
    let standard = secret.is_own_text().then(|| {
        view! {
            <p class="secrets__previous">
                "Standard Webhooks libraries take it as "<code class="secrets__text">{secret.to_whsec().to_string()}</code>
            </p>
        }
    });
    let about = if is_new {
        "New: give it to your receiver before the old one stops to sign."
    } else {
        ""
    };
    view! {
        <div class="copied">
            <p class="secrets__shown">
                <code class="secrets__text" tabindex="-1" autofocus=true>{secret.reveal().to_owned()}</code>
                <CopyButton/>
            </p>
        </div>
        {standard}
        <p class="secrets__previous">{about}</p>
    }
}
