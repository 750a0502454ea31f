//! The choice of a role, with what each may do.

use leptos::prelude::*;
use strum::VariantArray;

use crate::{domain::Role, ui::words::Label};

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
                <p class="quiet" id=about>{explain(role)}</p>
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

fn explain(role: Role) -> &'static str {
    match role {
        Role::Viewer => "Sees everything but secrets.",
        Role::Member => "Also adds webhooks, sends tests, and resends and recovers deliveries.",
        Role::Admin => {
            "Also edits and deletes webhooks, sees and rotates secrets, and manages keys and users."
        }
    }
}
