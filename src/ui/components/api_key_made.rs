//! A key that was just made.

use leptos::prelude::*;
use zeroize::Zeroizing;

use crate::ui::{
    components::icon::{Glyph, Icon},
    islands::copy_button::CopyButton,
};

/// Takes the focus, since it is what was asked for.
#[component]
pub fn ApiKeyMade(name: String, text: Zeroizing<String>) -> impl IntoView {
    view! {
        <section class="made" aria-labelledby="made">
            <h2 class="made__title" id="made"><Icon glyph=Glyph::Key/>{format!("API key “{name}” made")}</h2>
            <p>"Copy it now and keep it safe: it is shown only here, and nobody can look it up later."</p>
            <div class="copied">
                <p class="secrets__shown">
                    <code class="secrets__text" tabindex="-1" autofocus=true>{text.to_string()}</code>
                    <CopyButton/>
                </p>
            </div>
        </section>
    }
}
