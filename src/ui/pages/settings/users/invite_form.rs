//! Inviting somebody.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::ui::{
    actions::{
        serve::Reply,
        users::{InviteForm, InviteUser},
    },
    components::{field::TextField, form::ActionForm, roles::RoleChoice},
    paths,
};

#[component]
pub fn NewInvite(form: InviteForm, reply: Reply) -> impl IntoView {
    let (error, chosen) = (reply.error("email"), form.role());
    let focus = error.is_some();
    view! {
        <section class="card section" aria-labelledby="invite">
            <h2 id="invite">"Invite somebody"</h2>
            <ActionForm class="section__form" page=paths::USERS function=InviteUser::PATH reply=(&reply).into()>
                <TextField
                    id="email"
                    label="Email"
                    kind="email"
                    value=form.email
                    hint="They get no mail from us: you get a link, and send it to them."
                    error
                    focus
                />
                <RoleChoice chosen/>
                <p><button class="button button--primary" type="submit">"Make a link"</button></p>
            </ActionForm>
        </section>
    }
}
