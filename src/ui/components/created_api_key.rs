//! A new API key.

use leptos::prelude::*;
use zeroize::Zeroizing;

use crate::ui::{
    components::icon::{Glyph, Icon},
    islands::copy_button::CopyButton,
};

/// Shown once. Takes the focus because it is the result of the submitted form.
#[component]
pub fn CreatedApiKey(name: String, text: Zeroizing<String>) -> impl IntoView {
    view! {
        <section class="made" aria-labelledby="made">
            <h2 class="made__title" id="made"><Icon glyph=Glyph::Key/>{format!("API key “{name}” added")}</h2>
            <p>"Copy it now and store it safely. It is not shown again."</p>
            <div class="copied">
                <p class="secrets__shown">
                    <code class="secrets__text" tabindex="-1" autofocus=true>{text.to_string()}</code>
                    <CopyButton/>
                </p>
            </div>
        </section>
    }
}
