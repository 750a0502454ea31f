//! The notice for the second of two users who edited the same webhook.

use leptos::prelude::*;

use super::time_ago::TimeAgo;
use crate::domain::{Field, Timestamp, WebhookDraft};

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
    let Difference { field, saved, yours } = difference;
    let label = field.label();
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
    saved: String,
    yours: String,
}

/// Returns the settings that differ. A new secret is always saved.
fn differences(saved: &WebhookDraft, yours: &WebhookDraft) -> Vec<Difference> {
    let fields = yours.differences(saved).filter(|&field| field != Field::Secret);
    fields
        .map(|field| Difference {
            field,
            saved: saved.in_words(field),
            yours: yours.in_words(field),
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
            saved: "chat".into(),
            yours: "none".into(),
        };
        assert_eq!(differences(&saved, &yours), [expected]);
    }
}
