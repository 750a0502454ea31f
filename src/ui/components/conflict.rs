//! The notice for the second of two users who edited the same webhook.

use leptos::prelude::*;

use super::time_ago::TimeAgo;
use crate::{
    domain::{Field, Timestamp},
    webhooks::WebhookDraft,
};

/// Shows who saved the webhook, when, and each field that differs. The user chooses a version for each and saves again.
#[component]
pub fn EditConflict(
    by: String,
    at: Timestamp,
    saved: WebhookDraft,
    yours: WebhookDraft,
    now: Timestamp,
) -> impl IntoView {
    let differences = differences(&saved, &yours);
    let instruction = if differences.is_empty() {
        "The saved version is identical to yours."
    } else {
        "Your changes are not saved yet. Choose a version for each field, then save again."
    };
    let rows = differences
        .into_iter()
        .map(|difference| view! { <FieldChoice difference/> });
    view! {
        <div class="notice notice--warning" role="alert" tabindex="-1" autofocus=true>
            <p><strong>{by}</strong>" saved this webhook "<TimeAgo at now/>", after you opened it. "{instruction}</p>
            {rows.collect_view()}
        </div>
    }
}

#[component]
fn FieldChoice(difference: Difference) -> impl IntoView {
    let Difference {
        field,
        label,
        saved,
        yours,
    } = difference;
    let id = format!("keep-{}", field.as_str());
    let about = format!("{id}-about");
    view! {
        <div class="conflict">
            <p class="conflict__field">{label}</p>
            <p class="conflict__value" id=about.clone()><span class="conflict__who">"Saved"</span>{saved}</p>
            <p class="conflict__value"><span class="conflict__who">"Yours"</span>{yours}</p>
            <p class="conflict__choice">
                <input
                    id=id.clone()
                    type="checkbox"
                    name="keep_saved"
                    value=field.as_str()
                    aria-describedby=about
                />
                <label for=id>{format!("Keep the saved {}", label.to_lowercase().replace("url", "URL"))}</label>
            </p>
        </div>
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Difference {
    field: Field,
    label: &'static str,
    saved: String,
    yours: String,
}

fn differences(saved: &WebhookDraft, yours: &WebhookDraft) -> Vec<Difference> {
    let events = |draft: &WebhookDraft| {
        if draft.events.is_empty() {
            "none".into()
        } else {
            draft.events.join(", ")
        }
    };
    [
        (Field::Url, "URL", saved.url.clone(), yours.url.trim().to_owned()),
        (
            Field::Name,
            "Webhook name",
            saved.name.clone(),
            yours.name.trim().to_owned(),
        ),
        (Field::Events, "Events", events(saved), events(yours)),
    ]
    .into_iter()
    .filter(|(_, _, saved, yours)| saved != yours)
    .map(|(field, label, saved, yours)| Difference {
        field,
        label,
        saved,
        yours,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_only_fields_that_differ() {
        let saved = WebhookDraft {
            name: "Orders".into(),
            events: vec!["chat".into()],
            ..WebhookDraft::default()
        };
        let yours = WebhookDraft {
            name: " Orders ".into(),
            events: vec![],
            ..WebhookDraft::default()
        };
        let expected = Difference {
            field: Field::Events,
            label: "Events",
            saved: "chat".into(),
            yours: "none".into(),
        };
        assert_eq!(differences(&saved, &yours), [expected]);
    }
}
