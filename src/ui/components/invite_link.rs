//! A new invite link.

use leptos::prelude::*;
use zeroize::Zeroizing;

use super::time_ago::ExactTime;
use crate::{domain::Timestamp, ui::islands::copy_button::CopyButton};

/// Shown once. Takes the focus because it is the result of the submitted form.
#[component]
pub fn InviteLink(
    email: String,
    url: Zeroizing<String>,
    expires_at: Timestamp,
    now: Timestamp,
) -> impl IntoView {
    view! {
        <section class="card section copied" aria-labelledby="link" role="status">
            <h2 id="link">{format!("Link for {email}")}</h2>
            <p class="secrets__shown">
                <code class="secrets__text" tabindex="-1" autofocus=true>{url.to_string()}</code>
                <CopyButton/>
            </p>
            <p class="quiet">
                "Send this link to the user. It is shown only once. It can be used once, until "<ExactTime at=expires_at now/>"."
            </p>
        </section>
    }
}
