//! `/integrations/webhook/deliveries/{id}`: one delivery with its attempts.

pub mod attempt;
mod curl;

use axum::response::{IntoResponse, Response};
use leptos::{prelude::*, server_fn::ServerFn};

use self::{attempt::AttemptCard, curl::RequestBody};
use crate::{
    domain::{Delivery, DeliveryId, DeliveryStatus, Role, Timestamp, UrlVisibility},
    store::{AttemptRange, DeliveryDetail, event_data, excluded_by},
    ui::{
        PageError,
        actions::{
            deliveries::{DeliveryRef, ResendDelivery, resend_delivery},
            protocol,
            serve::{FormFeedback, Submission},
        },
        components::{
            badge::DeliveryBadge,
            code::LongCodeBlock,
            form::ActionForm,
            time_ago::{ExactTime, TimeAgo},
        },
        layout::{document::Page, shell::Section},
        paths,
        request::context::RequestContext,
    },
};

/// Number of attempts on a page. The others are on pages of their own.
const PAGE_SIZE: u32 = 10;

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
    let range = AttemptRange {
        before: ctx.parameter("before").and_then(|number| number.parse().ok()),
        limit: Some(PAGE_SIZE),
    };
    let detail = ctx.account().delivery_with(id, range).await?;
    let detail = detail.ok_or(PageError::NotFound)?;
    let webhook = ctx.account().webhook(&detail.delivery.webhook_id).await?;
    let filter = webhook.and_then(|webhook| webhook.settings.options.filter);
    let data = filter.as_ref().and_then(|_| event_data(&detail.payload));
    let excluded_by = excluded_by(filter.as_ref(), data);
    let is_newest = range.before.is_none();
    let urls = ctx.url_visibility();
    let (now, may_resend, headers) = (ctx.now, ctx.has_role(Role::Member), feedback.headers());
    let page = Page::new("Delivery", Section::Deliveries)
        .with_islands()
        .with_status(feedback.status);
    let page = ctx.render_page(page, || {
        view! { <DeliveryScreen detail excluded_by is_newest feedback may_resend urls now/> }.into_any()
    });
    Ok((headers, page).into_response())
}

#[component]
fn DeliveryScreen(
    detail: DeliveryDetail,
    /// The part of the webhook's current filter that excludes the event.
    excluded_by: Option<String>,
    /// Whether these are the newest attempts.
    is_newest: bool,
    feedback: FormFeedback,
    may_resend: bool,
    urls: UrlVisibility,
    now: Timestamp,
) -> impl IntoView {
    let DeliveryDetail {
        delivery,
        payload,
        attempts,
        has_older_attempts,
    } = detail;
    let newest = attempts.len();
    let received = delivery.created_at;
    let whole = paths::event_body(&delivery.event_id);
    let link = |href: String, text: &'static str| {
        view! {
            <li class="timeline__entry"><p class="timeline__moment"><a href=href data-soft>{text}</a></p></li>
        }
    };
    let first = attempts.first().filter(|_| has_older_attempts);
    let older = first.map(|first| {
        link(
            paths::delivery_before(&delivery.id, first.number),
            "Older attempts",
        )
    });
    let end = if is_newest {
        let last_entry = last_entry(&delivery, now);
        view! { <li class="timeline__entry timeline__entry--end"><p class="timeline__moment">{last_entry}</p></li> }
            .into_any()
    } else {
        link(paths::delivery(&delivery.id), "Newest attempts").into_any()
    };
    let body = RequestBody::new(&payload, &delivery.event_id);
    let attempts = attempts.into_iter().enumerate().map(|(index, attempt)| {
        let (delivery, body) = (delivery.id.clone(), body.clone());
        view! {
            <li class="timeline__entry"><AttemptCard delivery attempt body open=index + 1 == newest urls now/></li>
        }
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
        {excluded_by.map(|condition| view! { <FilterNote condition/> })}
        <section aria-labelledby="timeline">
            <h2 id="timeline">"Timeline"</h2>
            <ol class="timeline">
                <li class="timeline__entry">
                    <p class="timeline__moment"><strong>"Event received"</strong>" "<ExactTime at=received now/></p>
                </li>
                {older}
                {attempts}
                {end}
            </ol>
        </section>
        <section aria-labelledby="body">
            <h2 id="body">"Body"</h2>
            <p class="quiet">"The exact bytes that are signed and sent. They are the same for every attempt."</p>
            <LongCodeBlock label="Request body" content=payload.into() whole noun="body"/>
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

/// Says that the filter was changed after the event was accepted.
#[component]
fn FilterNote(condition: String) -> impl IntoView {
    view! {
        <p class="quiet">
            "The webhook’s filter has changed and would exclude this event now. Not met: "<strong>{condition}</strong>
            ". “Resend” sends it nevertheless."
        </p>
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
