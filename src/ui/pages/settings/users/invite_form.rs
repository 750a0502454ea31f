//! The form that creates an invite.

use leptos::{prelude::*, server_fn::ServerFn};

use crate::ui::{
    actions::{
        serve::FormFeedback,
        users::{InviteForm, InviteUser},
    },
    components::{
        field::TextField,
        form::{ActionForm, SubmissionToken},
        roles::RoleChoice,
    },
    paths,
};

#[component]
pub fn NewInvite(form: InviteForm, feedback: FormFeedback) -> impl IntoView {
    let (error, chosen) = (feedback.error("email"), form.role());
    let focus = error.is_some();
    view! {
        <section class="card section" aria-labelledby="invite">
            <h2 id="invite">"Invite user"</h2>
            <ActionForm class="section__form" page=paths::USERS function=InviteUser::PATH notice=(&feedback).into()>
                <SubmissionToken/>
                <TextField
                    id="email"
                    label="Email"
                    kind="email"
                    value=form.email
                    hint="No email is sent. You get a link to send to the user."
                    error
                    focus
                />
                <RoleChoice chosen/>
                <p><button class="button button--primary" type="submit">"Create invite link"</button></p>
            </ActionForm>
        </section>
    }
}
