//! `/integrations/webhook/deliveries/{id}`: one event for one webhook, with all that is on record of it.

mod attempt;

use axum::{extract::Path, response::Response};
use leptos::prelude::*;

use self::attempt::AttemptCard;
use crate::{
    domain::{Delivery, DeliveryId, DeliveryStatus, Timestamp},
    store::DeliveryDetail,
    ui::{
        PageError,
        components::{
            badge::DeliveryBadge,
            time_ago::{Moment, TimeAgo},
        },
        paths,
        render::Page,
        shell::Section,
        visit::Visit,
    },
};

pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id: DeliveryId = id.parse().map_err(|_| PageError::NotFound)?;
    let detail = visit
        .ui
        .store
        .delivery(&visit.user.account_id, &id)
        .await?
        .ok_or(PageError::NotFound)?;
    let now = visit.now;
    let page = Page::new("Delivery", Section::Deliveries);
    Ok(visit.page(page, || view! { <DeliveryScreen detail now/> }.into_any()))
}

#[component]
fn DeliveryScreen(detail: DeliveryDetail, now: Timestamp) -> impl IntoView {
    let DeliveryDetail {
        delivery,
        payload,
        attempts,
    } = detail;
    let newest = attempts.len();
    let ends = ending(&delivery, now);
    let received = delivery.created_at;
    let attempts = attempts.into_iter().enumerate().map(|(index, attempt)| {
        view! { <li class="timeline__entry"><AttemptCard attempt open=index + 1 == newest now/></li> }
    });
    let attempts = attempts.collect_view();
    view! {
        <div class="heading">
            <div>
                <p class="heading__back"><a href=paths::DELIVERIES>"Deliveries"</a></p>
                <h1 class="heading__with-badge">
                    <code>{delivery.event_type.as_str()}</code>
                    <DeliveryBadge status=delivery.status/>
                </h1>
            </div>
        </div>
        <Facts delivery now/>
        <section aria-labelledby="timeline">
            <h2 id="timeline">"Timeline"</h2>
            <ol class="timeline">
                <li class="timeline__entry">
                    <p class="timeline__moment"><strong>"Event received"</strong>" "<Moment at=received now/></p>
                </li>
                {attempts}
                <li class="timeline__entry timeline__entry--end"><p class="timeline__moment">{ends}</p></li>
            </ol>
        </section>
        <section aria-labelledby="body">
            <h2 id="body">"Body"</h2>
            <p class="quiet">"The exact bytes that are signed and sent, the same at every attempt."</p>
            <Inert label="Body of the request" text=String::from_utf8_lossy(&payload).into_owned()/>
        </section>
    }
}

/// What comes last on the timeline, or is still to come.
fn ending(delivery: &Delivery, now: Timestamp) -> AnyView {
    let at = delivery.updated_at;
    match (delivery.status, delivery.next_attempt_at) {
        (DeliveryStatus::Pending, Some(next)) => {
            view! { <strong>"Next attempt "</strong><TimeAgo at=next now/>" · "<Moment at=next now/> }
                .into_any()
        }
        (DeliveryStatus::Pending, None) => view! { <strong>"An attempt is under way"</strong> }.into_any(),
        (DeliveryStatus::Held, _) => {
            view! { <strong>"Held"</strong>" until the webhook is resumed" }.into_any()
        }
        (DeliveryStatus::Delivered, _) => view! { <strong>"Delivered "</strong><Moment at now/> }.into_any(),
        (DeliveryStatus::Failed, _) => {
            view! { <strong>"Failed "</strong><Moment at now/>": no attempt is left" }.into_any()
        }
        (DeliveryStatus::Cancelled, _) => {
            view! { <strong>"Cancelled "</strong><Moment at now/>": the webhook was deleted or disabled" }
                .into_any()
        }
    }
}

#[component]
fn Facts(delivery: Delivery, now: Timestamp) -> impl IntoView {
    let webhook = if delivery.webhook_deleted {
        view! { {delivery.webhook_name}<span class="quiet">" (deleted)"</span> }.into_any()
    } else {
        view! { <a href=paths::webhook(&delivery.webhook_id)>{delivery.webhook_name}</a> }.into_any()
    };
    view! {
        <dl class="card definitions">
            <dt>"Webhook"</dt>
            <dd>{webhook}</dd>
            <dt>"Event"</dt>
            <dd><code>{delivery.event_id.to_string()}</code></dd>
            <dt>"Delivery"</dt>
            <dd><code>{delivery.id.to_string()}</code></dd>
            <dt>"Received"</dt>
            <dd><Moment at=delivery.created_at now/></dd>
        </dl>
    }
}

/// What others wrote, as text and nothing else. It scrolls, so it can be focused.
#[component]
pub fn Inert(#[prop(into)] label: String, text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <p class="quiet">"Empty"</p> }.into_any();
    }
    view! { <pre class="inert" tabindex="0" role="region" aria-label=label>{text}</pre> }.into_any()
}
