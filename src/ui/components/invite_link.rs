//! A link that was made just now, by which somebody joins the account.

use leptos::prelude::*;
use zeroize::Zeroizing;

use super::time_ago::Moment;
use crate::{domain::Timestamp, ui::islands::copy_button::CopyButton};

/// Takes the focus, since it is what was asked for.
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
                "Send it to them: it is shown only now. It can be used once, until "<Moment at=expires_at now/>"."
            </p>
        </section>
    }
}
