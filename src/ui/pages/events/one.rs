//! `/integrations/webhook/events/{id}`: one event with its outcome for each webhook.

use axum::{extract::Path, response::Response};
use leptos::prelude::*;

use crate::{
    domain::{Delivery, DeliveryStatus, EventId, EventOutcome, NotSent, ReceivedEvent, Timestamp, WebhookId},
    store::EventDetail,
    ui::{
        PageError,
        components::{
            badge::{DeliveryBadge, NotSentBadge},
            code::LongCodeBlock,
            count::pluralize,
            time_ago::{ExactTime, TimeAgo},
        },
        layout::{document::Page, plain_text::plain_text, shell::Section},
        paths,
        request::context::RequestContext,
    },
};

pub async fn show(ctx: RequestContext, Path(id): Path<String>) -> Result<Response, PageError> {
    let id: EventId = id.parse().map_err(|_| PageError::NotFound)?;
    let detail = ctx.account().event(&id).await?.ok_or(PageError::NotFound)?;
    let now = ctx.now;
    let page = Page::new("Event", Section::Events);
    Ok(ctx.render_page(page, || view! { <EventScreen detail now/> }.into_any()))
}

/// Returns the body that is sent to every subscribed webhook, byte for byte.
pub async fn show_body(
    paths::EventBody { id }: paths::EventBody,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    let detail = ctx.account().event(&id).await?.ok_or(PageError::NotFound)?;
    Ok(plain_text(detail.payload))
}

#[component]
fn EventScreen(detail: EventDetail, now: Timestamp) -> impl IntoView {
    let EventDetail {
        event,
        payload,
        outcomes,
    } = detail;
    let summary = summary(&event, &outcomes);
    let whole = paths::event_body(&event.id);
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
            <dt>"Occurred"</dt>
            <dd><ExactTime at=event.occurred_at now/></dd>
            <dt>"Received"</dt>
            <dd><ExactTime at=event.received_at now/></dd>
        </dl>
        <section aria-labelledby="webhooks">
            <h2 id="webhooks">"Outcome"</h2>
            <p>{summary}</p>
            {outcomes}
        </section>
        <section aria-labelledby="body">
            <h2 id="body">"Body"</h2>
            <p class="quiet">"The exact bytes that are signed and sent to every subscribed webhook."</p>
            <LongCodeBlock label="Event body" content=payload.into() whole noun="body"/>
        </section>
    }
}

/// Summarizes the outcomes in one sentence.
fn summary(event: &ReceivedEvent, outcomes: &[EventOutcome]) -> String {
    let statuses: Vec<_> = outcomes
        .iter()
        .filter_map(|event_outcome| match event_outcome {
            EventOutcome::Delivery(delivery) => Some(delivery.status),
            EventOutcome::NotSent { .. } => None,
        })
        .collect();
    let count = |status: DeliveryStatus| statuses.iter().filter(|other| **other == status).count();
    let event_type = event.event_type;
    let existing = outcomes.iter().filter(|event_outcome| {
        !matches!(
            event_outcome,
            EventOutcome::NotSent {
                reason: NotSent::AddedLater(_),
                ..
            }
        )
    });
    let queued = outcomes.iter().filter(|event_outcome| {
        matches!(
            event_outcome,
            EventOutcome::NotSent {
                reason: NotSent::Queued,
                ..
            }
        )
    });
    let queued = queued.count();
    if queued > 0 {
        let all = statuses.len() + queued;
        return format!("Queued for {} of {all} webhooks so far.", statuses.len());
    }
    if !statuses.is_empty() {
        let delivered = count(DeliveryStatus::Delivered);
        let to = pluralize(
            u64::try_from(statuses.len()).unwrap_or(u64::MAX),
            "webhook",
            "webhooks",
        );
        return if delivered == statuses.len() {
            format!("Delivered to {to}.")
        } else {
            format!("Sent to {to}, delivered to {delivered} so far.")
        };
    }
    let is_filtered = |event_outcome: &EventOutcome| {
        matches!(
            event_outcome,
            EventOutcome::NotSent {
                reason: NotSent::Filtered(_),
                ..
            }
        )
    };
    if outcomes.iter().any(is_filtered) {
        return "Not sent: the filter of each subscribed webhook excluded the event.".to_owned();
    }
    if existing.count() == 0 {
        return "Not sent: there was no webhook when the event was received.".to_owned();
    }
    format!("Not sent: no enabled webhook was subscribed to {event_type} when the event was received.")
}

#[component]
fn EventOutcomes(outcomes: Vec<EventOutcome>, event: ReceivedEvent, now: Timestamp) -> impl IntoView {
    let rows = outcomes.into_iter().map(|event_outcome| match event_outcome {
        EventOutcome::Delivery(delivery) => view! { <DeliveryRow delivery=*delivery now/> }.into_any(),
        EventOutcome::NotSent {
            webhook_id,
            webhook_name,
            webhook_deleted,
            reason,
        } => {
            let reason = not_sent_reason(reason, &event, now);
            view! {
                <tr role="row" class="row">
                    <WebhookCell id=webhook_id name=webhook_name deleted=webhook_deleted/>
                    <td role="cell" class="row__status"><NotSentBadge/></td>
                    <td role="cell" class="row__why">{reason}</td>
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
                    <th role="columnheader" scope="col">"Details"</th>
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
fn DeliveryRow(delivery: Delivery, now: Timestamp) -> impl IntoView {
    let outcome = match (delivery.status, delivery.next_attempt_at) {
        (DeliveryStatus::Delivered, _) => {
            view! { "Delivered "<TimeAgo at=delivery.updated_at now/> }.into_any()
        }
        (DeliveryStatus::Pending, Some(next)) => {
            let failed = delivery
                .last_outcome
                .map(|outcome| format!("Last result: {outcome}. "));
            view! { {failed}"Next attempt "<TimeAgo at=next now/> }.into_any()
        }
        (DeliveryStatus::Pending, None) => "Attempt in progress".into_any(),
        (DeliveryStatus::Held, _) => "Held until the webhook is resumed".into_any(),
        (DeliveryStatus::Failed, _) => {
            let result = delivery.last_outcome.map(|outcome| outcome.to_string());
            view! { "No attempts left. Last result: "{result} }.into_any()
        }
        (DeliveryStatus::Cancelled, _) => {
            "Cancelled: the webhook was deleted or disabled, or the delivery was dropped when the webhook was resumed".into_any()
        }
    };
    view! {
        <tr role="row" class="row">
            <WebhookCell id=delivery.webhook_id name=delivery.webhook_name deleted=delivery.webhook_deleted/>
            <td role="cell" class="row__status"><DeliveryBadge status=delivery.status/></td>
            <td role="cell" class="row__why">
                {outcome}" · "<a class="row__link" href=paths::delivery(&delivery.id)>"Delivery"</a>
            </td>
        </tr>
    }
}

fn not_sent_reason(reason: NotSent, event: &ReceivedEvent, now: Timestamp) -> AnyView {
    let event_type = event.event_type.as_str();
    match reason {
        NotSent::NotSubscribed => {
            view! { "Not subscribed to "<code>{event_type}</code>" at that time." }.into_any()
        }
        NotSent::Disabled => "Disabled when the event was received.".into_any(),
        NotSent::Filtered(condition) => {
            view! { "Excluded by its filter at that time. Not met: "<strong>{condition}</strong> }.into_any()
        }
        NotSent::Queued => "Not queued yet, because the event has many webhooks.".into_any(),
        NotSent::AddedLater(at) => view! { "Added later: "<ExactTime at now/>"." }.into_any(),
    }
}
