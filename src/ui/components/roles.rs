//! Radio buttons for a role, with the permissions of each.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{domain::Role, ui::labels::Label};

#[component]
pub fn RoleChoice(chosen: Role) -> impl IntoView {
    let options = Role::VARIANTS.iter().map(|&role| {
        let field = format!("role-{role}");
        let (label, about) = (field.clone(), format!("{field}-about"));
        view! {
            <div class="option">
                <input
                    id=field
                    type="radio"
                    name="role"
                    value=role.as_str()
                    checked=role == chosen
                    aria-describedby=about.clone()
                />
                <label for=label>{role.label()}</label>
                <p class="quiet" id=about>{permissions(role)}</p>
            </div>
        }
    });
    view! {
        <fieldset class="options">
            <legend>"Role"</legend>
            {options.collect_view()}
        </fieldset>
    }
}

fn permissions(role: Role) -> &'static str {
    match role {
        Role::Viewer => {
            "Can view everything except secrets. Webhook URLs are shortened to the host and the beginning of the path."
        }
        Role::Member => "Can also add webhooks, send test events, and resend and recover deliveries.",
        Role::Admin => {
            "Can also edit and delete webhooks, see their whole URLs, reveal and rotate secrets, and manage API keys and \
             users."
        }
    }
}
