//! `/integrations/webhook/events/{id}`: one event, and for each webhook what became of it, or why nothing was sent.

use axum::{extract::Path, response::Response};
use leptos::prelude::*;

use crate::{
    domain::{Delivery, DeliveryStatus, EventId, EventOutcome, NotSent, ReceivedEvent, Timestamp, WebhookId},
    store::EventDetail,
    ui::{
        PageError,
        components::{
            badge::{DeliveryBadge, NotSentBadge},
            code::CodeBlock,
            count::counted,
            time_ago::{Moment, TimeAgo},
        },
        layout::{document::Page, shell::Section},
        paths,
        request::visit::Visit,
    },
};

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id: EventId = id.parse().map_err(|_| PageError::NotFound)?;
    let detail = visit.account().event(&id).await?.ok_or(PageError::NotFound)?;
    let now = visit.now;
    let page = Page::new("Event", Section::Events);
    Ok(visit.page(page, || view! { <EventScreen detail now/> }.into_any()))
}

#[component]
fn EventScreen(detail: EventDetail, now: Timestamp) -> impl IntoView {
    let EventDetail {
        event,
        payload,
        outcomes,
    } = detail;
    let verdict = verdict(&event, &outcomes);
    let outcomes =
        (!outcomes.is_empty()).then(|| view! { <EventOutcomes outcomes event=event.clone() now/> });
    view! {
        <div class="heading">
            <div>
                <p class="heading__back"><a href=paths::EVENTS>"Events"</a></p>
                <h1><code>{event.event_type.as_str()}</code></h1>
            </div>
        </div>
        <dl class="card definitions">
            <dt>"Event"</dt>
            <dd><code>{event.id.to_string()}</code></dd>
            <dt>"Happened"</dt>
            <dd><Moment at=event.occurred_at now/></dd>
            <dt>"Received"</dt>
            <dd><Moment at=event.received_at now/></dd>
        </dl>
        <section aria-labelledby="webhooks">
            <h2 id="webhooks">"What became of it"</h2>
            <p>{verdict}</p>
            {outcomes}
        </section>
        <section aria-labelledby="body">
            <h2 id="body">"Body"</h2>
            <p class="quiet">"The exact bytes that are signed and sent to every webhook that wants them."</p>
            <CodeBlock label="Body of the event" text=String::from_utf8_lossy(&payload).into_owned()/>
        </section>
    }
}

/// The whole of it in a sentence.
fn verdict(event: &ReceivedEvent, outcomes: &[EventOutcome]) -> String {
    let statuses: Vec<_> = outcomes
        .iter()
        .filter_map(|event_outcome| match event_outcome {
            EventOutcome::Delivery(delivery) => Some(delivery.status),
            EventOutcome::NotSent { .. } => None,
        })
        .collect();
    let count = |wanted: DeliveryStatus| statuses.iter().filter(|status| **status == wanted).count();
    let event_type = event.event_type;
    let then = outcomes.iter().filter(|event_outcome| {
        !matches!(
            event_outcome,
            EventOutcome::NotSent {
                reason: NotSent::AddedLater(_),
                ..
            }
        )
    });
    if !statuses.is_empty() {
        let delivered = count(DeliveryStatus::Delivered);
        let to = counted(
            u64::try_from(statuses.len()).unwrap_or(u64::MAX),
            "webhook",
            "webhooks",
        );
        return if delivered == statuses.len() {
            format!("Delivered to {to}.")
        } else {
            format!("Sent to {to}, and delivered to {delivered} of them so far.")
        };
    }
    if then.count() == 0 {
        return "Nothing was sent: there was no webhook when it was received.".to_owned();
    }
    format!("Nothing was sent: no webhook that was enabled wanted {event_type} when it was received.")
}

#[component]
fn EventOutcomes(outcomes: Vec<EventOutcome>, event: ReceivedEvent, now: Timestamp) -> impl IntoView {
    let rows = outcomes.into_iter().map(|event_outcome| match event_outcome {
        EventOutcome::Delivery(delivery) => view! { <Sent delivery=*delivery now/> }.into_any(),
        EventOutcome::NotSent {
            webhook_id,
            webhook_name,
            webhook_deleted,
            reason,
        } => {
            let why = explain(reason, &event, now);
            view! {
                <tr role="row" class="row">
                    <WebhookCell id=webhook_id name=webhook_name deleted=webhook_deleted/>
                    <td role="cell" class="row__status"><NotSentBadge/></td>
                    <td role="cell" class="row__why">{why}</td>
                </tr>
            }
            .into_any()
        }
    });
    view! {
        <table class="table table--fates" role="table" aria-labelledby="webhooks">
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Webhook"</th>
                    <th role="columnheader" scope="col">"Status"</th>
                    <th role="columnheader" scope="col">"What happened"</th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows.collect_view()}</tbody>
        </table>
    }
}

#[component]
fn WebhookCell(id: WebhookId, name: String, deleted: bool) -> impl IntoView {
    let name = if deleted {
        view! { {name}<span class="quiet">" (deleted)"</span> }.into_any()
    } else {
        view! { <a href=paths::webhook(&id)>{name}</a> }.into_any()
    };
    view! { <th role="rowheader" scope="row" class="row__webhook">{name}</th> }
}

#[component]
fn Sent(delivery: Delivery, now: Timestamp) -> impl IntoView {
    let what = match (delivery.status, delivery.next_attempt_at) {
        (DeliveryStatus::Delivered, _) => {
            view! { "Delivered "<TimeAgo at=delivery.updated_at now/> }.into_any()
        }
        (DeliveryStatus::Pending, Some(next)) => {
            let failed = delivery
                .last_outcome
                .map(|outcome| format!("Last answer: {outcome}. "));
            view! { {failed}"Next attempt "<TimeAgo at=next now/> }.into_any()
        }
        (DeliveryStatus::Pending, None) => "An attempt is under way".into_any(),
        (DeliveryStatus::Held, _) => "Held until the webhook is resumed".into_any(),
        (DeliveryStatus::Failed, _) => {
            let result = delivery.last_outcome.map(|outcome| outcome.to_string());
            view! { "No attempt is left. Last answer: "{result} }.into_any()
        }
        (DeliveryStatus::Cancelled, _) => {
            "Cancelled: the webhook was deleted or disabled, or it was dropped on resuming".into_any()
        }
    };
    view! {
        <tr role="row" class="row">
            <WebhookCell id=delivery.webhook_id name=delivery.webhook_name deleted=delivery.webhook_deleted/>
            <td role="cell" class="row__status"><DeliveryBadge status=delivery.status/></td>
            <td role="cell" class="row__why">
                {what}" · "<a class="row__link" href=paths::delivery(&delivery.id)>"Delivery"</a>
            </td>
        </tr>
    }
}

fn explain(reason: NotSent, event: &ReceivedEvent, now: Timestamp) -> AnyView {
    let event_type = event.event_type.as_str();
    match reason {
        NotSent::NotSubscribed => {
            view! { "Not subscribed to "<code>{event_type}</code>" at that time." }.into_any()
        }
        NotSent::Disabled => "It was disabled when the event was received.".into_any(),
        NotSent::AddedLater(at) => view! { "It was added later: "<Moment at now/>"." }.into_any(),
    }
}
