//! What a recovery would send.

use leptos::prelude::*;

use super::{count::counted, time_ago::Moment};
use crate::{
    domain::{Timestamp, WebhookId},
    store::{RecoveryPreview, RecoveryRange},
    ui::{components::form::ActionForm, paths, request::query::written},
};

#[component]
pub fn RecoveryPreviewPart(
    id: WebhookId,
    wanted: RecoveryRange,
    preview: RecoveryPreview,
    can_start: bool,
    /// The path of the function that starts it.
    start: &'static str,
    now: Timestamp,
) -> impl IntoView {
    let RecoveryPreview { count, more, first } = preview;
    let found = match (count, more) {
        (0, false) => "Nothing was missed since then.".to_owned(),
        (0, true) => {
            "Nothing was missed among the first events since then; the rest is looked through as it runs."
                .to_owned()
        }
        (n, false) => format!("{} will be sent.", counted(n, "event", "events")),
        (n, true) => format!("At least {} will be sent.", counted(n, "event", "events")),
    };
    let list = (!first.is_empty()).then(|| {
        let rows = first.into_iter().map(|event| {
            view! {
                <li>
                    <code class="event">{event.event_type.as_str()}</code>" "
                    <a href=paths::event(&event.event_id)>{event.event_id.to_string()}</a>
                    <span class="quiet">" · "<Moment at=event.received_at now/></span>
                </li>
            }
        });
        view! { <p class="quiet">"The first of them:"</p><ol class="recover__first">{rows.collect_view()}</ol> }
    });
    let form = (can_start && (count > 0 || more)).then(|| {
        view! {
            <ActionForm page=paths::recover(&id) function=start>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="scope" value=wanted.scope.as_str()/>
                <input type="hidden" name="since" value=written(wanted.since)/>
                <button class="button button--primary" type="submit">"Recover"</button>
            </ActionForm>
        }
    });
    view! {
        <section class="recover__preview" aria-labelledby="preview">
            <h2 id="preview">"Preview"</h2>
            <p><strong>{found}</strong></p>
            {list}
            {form}
        </section>
    }
}
