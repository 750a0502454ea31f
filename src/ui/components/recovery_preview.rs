//! The preview of a recovery.

use leptos::prelude::*;

use super::{count::pluralize, time_ago::ExactTime};
use crate::{
    domain::{Timestamp, WebhookId},
    store::{RecoveryPreview, RecoveryRange},
    ui::{
        components::form::{ActionForm, SubmissionToken},
        paths,
        request::query::format_timestamp,
    },
};

#[component]
pub fn RecoveryPreviewSection(
    id: WebhookId,
    range: RecoveryRange,
    preview: RecoveryPreview,
    can_start: bool,
    /// Path of the server function that starts the recovery.
    start: &'static str,
    now: Timestamp,
) -> impl IntoView {
    let RecoveryPreview { count, more, first } = preview;
    let found = match (count, more) {
        (0, false) => "Nothing to recover since then.".to_owned(),
        (0, true) => {
            "Nothing to recover among the first events since then. The recovery searches the rest.".to_owned()
        }
        (n, false) => format!("{} will be sent.", pluralize(n, "event", "events")),
        (n, true) => format!("At least {} will be sent.", pluralize(n, "event", "events")),
    };
    let list = (!first.is_empty()).then(|| {
        let rows = first.into_iter().map(|event| {
            view! {
                <li>
                    <code class="event">{event.event_type.as_str()}</code>" "
                    <a href=paths::event(&event.event_id)>{event.event_id.to_string()}</a>
                    <span class="quiet">" · "<ExactTime at=event.received_at now/></span>
                </li>
            }
        });
        view! { <p class="quiet">"The first events:"</p><ol class="recover__first">{rows.collect_view()}</ol> }
    });
    let form = (can_start && (count > 0 || more)).then(|| {
        view! {
            <ActionForm page=paths::recover(&id) function=start>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="scope" value=range.scope.as_str()/>
                <input type="hidden" name="since" value=format_timestamp(range.since)/>
                <SubmissionToken/>
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
