//! Inviting somebody.

use leptos::prelude::*;

use super::FormState;
use crate::ui::{
    components::{field::TextField, roles::RoleChoice},
    paths,
};

#[component]
pub fn InviteForm(form: FormState) -> impl IntoView {
    let focus = form.error.is_some();
    view! {
        <section class="card section" aria-labelledby="invite">
            <h2 id="invite">"Invite somebody"</h2>
            <form class="section__form" method="post" action=paths::USERS novalidate>
                <TextField
                    id="email"
                    label="Email"
                    kind="email"
                    value=form.email
                    hint="They get no mail from us: you get a link, and send it to them."
                    error=form.error
                    focus
                />
                <RoleChoice chosen=form.role/>
                <p><button class="button button--primary" type="submit">"Make a link"</button></p>
            </form>
        </section>
    }
}
