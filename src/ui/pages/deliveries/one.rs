//! `/integrations/webhook/deliveries/{id}`: one delivery with its attempts.

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
            serve::{FormFeedback, Submission},
        },
        components::{
            badge::DeliveryBadge,
            code::CodeBlock,
            form::ActionForm,
            time_ago::{ExactTime, TimeAgo},
        },
        layout::{document::Page, shell::Section},
        paths,
        request::context::RequestContext,
    },
};

pub async fn show(
    paths::Delivery { id }: paths::Delivery,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    page(&ctx, &id, FormFeedback::default()).await
}

pub async fn resend(
    paths::Delivery { id }: paths::Delivery,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    let form = DeliveryRef { id: id.to_string() };
    match ctx.submit(resend_delivery(protocol::Form::new(form))).await? {
        Submission::Redirect(response) => Ok(response),
        Submission::Rerender(feedback) => page(&ctx, &id, feedback).await,
    }
}

async fn page(ctx: &RequestContext, id: &DeliveryId, feedback: FormFeedback) -> Result<Response, PageError> {
    let detail = ctx.account().delivery(id).await?.ok_or(PageError::NotFound)?;
    let (now, may_resend, headers) = (ctx.now, ctx.has_role(Role::Member), feedback.headers());
    let page = Page::new("Delivery", Section::Deliveries)
        .with_islands()
        .with_status(feedback.status);
    let page = ctx.render_page(page, || {
        view! { <DeliveryScreen detail feedback may_resend now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn DeliveryScreen(
    detail: DeliveryDetail,
    feedback: FormFeedback,
    may_resend: bool,
    now: Timestamp,
) -> impl IntoView {
    let DeliveryDetail {
        delivery,
        payload,
        attempts,
    } = detail;
    let newest = attempts.len();
    let last_entry = last_entry(&delivery, now);
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
            <ActionForm page function=ResendDelivery::PATH notice=(&feedback).into()>
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
                    <p class="timeline__moment"><strong>"Event received"</strong>" "<ExactTime at=received now/></p>
                </li>
                {attempts}
                <li class="timeline__entry timeline__entry--end"><p class="timeline__moment">{last_entry}</p></li>
            </ol>
        </section>
        <section aria-labelledby="body">
            <h2 id="body">"Body"</h2>
            <p class="quiet">"The exact bytes that are signed and sent. They are the same for every attempt."</p>
            <CodeBlock label="Request body" text=body/>
        </section>
    }
}

/// The last entry of the timeline: the final status or the next attempt.
fn last_entry(delivery: &Delivery, now: Timestamp) -> AnyView {
    let at = delivery.updated_at;
    match (delivery.status, delivery.next_attempt_at) {
        (DeliveryStatus::Pending, Some(next)) => {
            view! { <strong>"Next attempt "</strong><TimeAgo at=next now/>" · "<ExactTime at=next now/> }
                .into_any()
        }
        (DeliveryStatus::Pending, None) => view! { <strong>"Attempt in progress"</strong> }.into_any(),
        (DeliveryStatus::Held, _) => {
            view! { <strong>"Held"</strong>" until the webhook is resumed" }.into_any()
        }
        (DeliveryStatus::Delivered, _) => view! { <strong>"Delivered "</strong><ExactTime at now/> }.into_any(),
        (DeliveryStatus::Failed, _) => {
            view! { <strong>"Failed "</strong><ExactTime at now/>": no attempts left" }.into_any()
        }
        (DeliveryStatus::Cancelled, _) => {
            view! { <strong>"Cancelled "</strong><ExactTime at now/>": the webhook was deleted or disabled, or its held deliveries were dropped" }
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
            <dd><ExactTime at=delivery.created_at now/></dd>
        </dl>
    }
}
