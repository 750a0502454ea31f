//! The secret's field. Its text is hidden by the style sheet where scripts run, and by the island that brings the
//! button to show it; without scripts there is no such button, so the text is simply there to be copied.

use leptos::prelude::*;

use crate::ui::{
    components::field::TextField,
    islands::{copy_button::CopyButton, secret_tools::SecretTools},
    pages::webhooks::form::Purpose,
};

#[component]
pub fn SecretField<'a>(
    value: &'a str,
    error: Option<String>,
    purpose: Purpose,
    focus: bool,
) -> impl IntoView + use<> {
    let hint = match purpose {
        Purpose::Add => "Store it where your receiver can read it: it proves that a call comes from Caleida.",
        Purpose::Edit | Purpose::Look => "Leave empty to keep the current secret.",
    };
    view! {
        <div class="copied">
            <TextField id="secret" label="Secret" value class="secret" error hint focus>
                <div class="field__tools"><SecretTools/><CopyButton/></div>
            </TextField>
        </div>
    }
}
