//! `/integrations/webhook/deliveries/{id}`: one event for one webhook, with all that is on record of it.

mod attempt;
mod curl;

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use self::attempt::AttemptCard;
use crate::{
    domain::{Delivery, DeliveryId, DeliveryStatus, Role, Timestamp},
    store::DeliveryDetail,
    ui::{
        PageError,
        actions::{
            deliveries::{DeliveryRef, ResendDelivery, resend_delivery},
            protocol,
            serve::{Reply, Submitted},
        },
        components::{
            badge::DeliveryBadge,
            code::CodeBlock,
            form::ActionForm,
            time_ago::{Moment, TimeAgo},
        },
        layout::{document::Page, shell::Section},
        paths,
        request::visit::Visit,
    },
};

pub async fn show(paths::Delivery { id }: paths::Delivery, visit: Visit) -> Result<Response, PageError> {
    page(&visit, &id, Reply::default()).await
}

pub async fn resend(paths::Delivery { id }: paths::Delivery, visit: Visit) -> Result<Response, PageError> {
    let form = DeliveryRef { id: id.to_string() };
    match visit.submit(resend_delivery(protocol::Form::of(form))).await? {
        Submitted::Done(response) => Ok(response),
        Submitted::Again(reply) => page(&visit, &id, reply).await,
    }
}

async fn page(visit: &Visit, id: &DeliveryId, reply: Reply) -> Result<Response, PageError> {
    let detail = visit.account().delivery(id).await?.ok_or(PageError::NotFound)?;
    let (now, may_resend, headers) = (visit.now, visit.may(Role::Member), reply.headers());
    let page = Page::new("Delivery", Section::Deliveries)
        .with_islands()
        .with_status(reply.status);
    let page = visit.page(page, || {
        view! { <DeliveryScreen detail reply may_resend now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn DeliveryScreen(detail: DeliveryDetail, reply: Reply, may_resend: bool, now: Timestamp) -> impl IntoView {
    let DeliveryDetail {
        delivery,
        payload,
        attempts,
    } = detail;
    let newest = attempts.len();
    let ends = ending(&delivery, now);
    let received = delivery.created_at;
    let body = String::from_utf8_lossy(&payload).into_owned();
    let attempts = attempts.into_iter().enumerate().map(|(index, attempt)| {
        let body = body.clone();
        view! { <li class="timeline__entry"><AttemptCard attempt body open=index + 1 == newest now/></li> }
    });
    let attempts = attempts.collect_view();
    let (page, id) = (paths::delivery(&delivery.id), delivery.id.to_string());
    let resend = (may_resend && !delivery.webhook_deleted).then(|| {
        view! {
            <ActionForm page function=ResendDelivery::PATH reply=(&reply).into()>
                <input type="hidden" name="id" value=id/>
                <button class="button button--primary" type="submit">"Resend"</button>
            </ActionForm>
        }
    });
    view! {
        <div class="heading">
            <div>
                <p class="heading__back"><a href=paths::DELIVERIES>"Deliveries"</a></p>
                <h1 class="heading__with-badge">
                    <code>{delivery.event_type.as_str()}</code>
                    <DeliveryBadge status=delivery.status/>
                </h1>
            </div>
            {resend}
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
            <CodeBlock label="Body of the request" text=body/>
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
            view! { <strong>"Cancelled "</strong><Moment at now/>": the webhook was deleted or disabled, or what it held was dropped" }
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
            <dd><a href=paths::event(&delivery.event_id)><code>{delivery.event_id.to_string()}</code></a></dd>
            <dt>"Delivery"</dt>
            <dd><code>{delivery.id.to_string()}</code></dd>
            <dt>"Received"</dt>
            <dd><Moment at=delivery.created_at now/></dd>
        </dl>
    }
}
