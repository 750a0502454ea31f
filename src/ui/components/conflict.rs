//! Two people edited the same webhook, and this one is the second to save.

use leptos::prelude::*;

use super::time_ago::TimeAgo;
use crate::{
    domain::{Field, Timestamp},
    webhooks::Draft,
};

/// Says who saved, when, and for each field how that differs from what was typed: one chooses, and saves again.
#[component]
pub fn Conflict(by: String, at: Timestamp, saved: Draft, yours: Draft, now: Timestamp) -> impl IntoView {
    let differences = differences(&saved, &yours);
    let what_to_do = if differences.is_empty() {
        "The saved version is the same as yours."
    } else {
        "Yours is not saved yet. Choose for each field, then save again."
    };
    let rows = differences
        .into_iter()
        .map(|difference| view! { <Choice difference/> });
    view! {
        <div class="notice notice--warning" role="alert" tabindex="-1" autofocus=true>
            <p><strong>{by}</strong>" saved this webhook "<TimeAgo at now/>", after you opened it. "{what_to_do}</p>
            {rows.collect_view()}
        </div>
    }
}

#[component]
fn Choice(difference: Difference) -> impl IntoView {
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

fn differences(saved: &Draft, yours: &Draft) -> Vec<Difference> {
    let events = |draft: &Draft| {
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
    fn only_what_differs_is_shown() {
        let saved = Draft {
            name: "Orders".into(),
            events: vec!["chat".into()],
            ..Draft::default()
        };
        let yours = Draft {
            name: " Orders ".into(),
            events: vec![],
            ..Draft::default()
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
