//! Two people edited the same webhook, and this one is the second to save.

use leptos::prelude::*;

use super::{Draft, stored};
use crate::{
    domain::{Timestamp, Webhook},
    ui::components::time_ago::TimeAgo,
};

/// Says who saved, when, and field by field how that differs from what is in the form. The form now holds the newer
/// version: to save again is to overwrite it, knowingly.
#[component]
pub fn Conflict(current: Webhook, draft: Draft, now: Timestamp) -> impl IntoView {
    let (by, at) = (current.updated_by.clone(), current.updated_at);
    let differences = differences(&stored(&current), &draft);
    let nothing = differences.is_empty().then(|| {
        view! { <p>"It now is just as you have it here."</p> }
    });
    let rows = differences
        .into_iter()
        .map(|Difference { field, theirs, yours }| {
            view! {
                <dt>{field}</dt>
                <dd><span class="conflict__who">"Saved"</span>{theirs}</dd>
                <dd><span class="conflict__who">"Yours"</span>{yours}</dd>
            }
        });
    view! {
        <div class="notice notice--warning" role="alert">
            <p>
                <strong>{by}</strong>" saved this webhook "<TimeAgo at now/>
                ", after you opened it. Yours is not saved yet: Save again to overwrite."
            </p>
            {nothing}
            <dl class="conflict">{rows.collect_view()}</dl>
        </div>
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Difference {
    field: &'static str,
    theirs: String,
    yours: String,
}

fn differences(theirs: &Draft, yours: &Draft) -> Vec<Difference> {
    let events = |draft: &Draft| {
        if draft.events.is_empty() {
            "none".into()
        } else {
            draft.events.join(", ")
        }
    };
    [
        ("URL", theirs.url.clone(), yours.url.trim().to_owned()),
        ("Webhook name", theirs.name.clone(), yours.name.trim().to_owned()),
        ("Events", events(theirs), events(yours)),
    ]
    .into_iter()
    .filter(|(_, theirs, yours)| theirs != yours)
    .map(|(field, theirs, yours)| Difference { field, theirs, yours })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        let theirs = Draft {
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
            field: "Events",
            theirs: "chat".into(),
            yours: "none".into(),
        };
        assert_eq!(differences(&theirs, &yours), [expected]);
    }
}
