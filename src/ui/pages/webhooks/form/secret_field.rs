//! The field for the secret. With JavaScript, the style sheet and an island mask the text, and the island adds a button
//! that shows it. Without JavaScript, the text is visible so that it can be copied.

use leptos::prelude::*;

use crate::ui::{
    components::field::TextField,
    islands::{copy_button::CopyButton, secret_tools::SecretTools},
    pages::webhooks::form::FormMode,
};

#[component]
pub fn SecretField<'a>(
    value: &'a str,
    error: Option<String>,
    mode: FormMode,
    focus: bool,
) -> impl IntoView + use<> {
    let hint = match mode {
        FormMode::Add => {
            "Store it where your receiver can read it. It verifies that a call comes from Caleida."
        }
        FormMode::Edit | FormMode::ReadOnly => "Leave empty to keep the current secret.",
    };
    view! {
        <div class="copied">
            <TextField id="secret" label="Secret" value class="secret" error hint focus>
                <div class="field__tools"><SecretTools/><CopyButton/></div>
            </TextField>
        </div>
    }
}
