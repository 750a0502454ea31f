//! The current secret, hidden until an admin reveals or rotates it.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::{
    domain::Timestamp,
    ui::{
        actions::secrets::{RevealSecret, RotateSecret},
        components::{
            form::{FormButton, Part},
            shown_secret::{OVERLAPS, PreviousSecret},
        },
        layout::fragment::Fragment,
    },
};

/// The buttons submit the whole form, so that unsaved edits are kept. `shown` is the rendered component `ShownSecret`.
#[component]
pub fn SecretPanel(
    previous_until: Option<Timestamp>,
    shown: Option<Fragment>,
    now: Timestamp,
) -> impl IntoView {
    let overlaps = OVERLAPS.map(|overlap| {
        view! { <option value=overlap.hours selected=overlap.is_default()>{overlap.label}</option> }
    });
    let current = match shown {
        Some(html) => view! { <Part html=Some(html)/> }.into_any(),
        None => view! {
            <Part html=None>
                <p class="secrets__hidden">
                    <code>"••••••••••••••••••••••••"</code>
                    <FormButton function=RevealSecret::PATH value="reveal" class="button button--small">"Reveal"</FormButton>
                </p>
                <PreviousSecret until=previous_until now/>
            </Part>
        }
        .into_any(),
    };
    view! {
        <div class="secrets">
            <p class="secrets__title">"Current secret"</p>
            {current}
            <div class="secrets__rotate">
                <label for="overlap">"Keep the previous secret valid for"</label>
                <select id="overlap" name="overlap">{overlaps.collect_view()}</select>
                <FormButton function=RotateSecret::PATH value="rotate" class="button button--small">"Rotate"</FormButton>
            </div>
        </div>
    }
}
