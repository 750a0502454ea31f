//! `/integrations/webhook/deliveries/{id}`: one event for one webhook, with all that is on record of it.

mod attempt;
mod curl;

use axum::{
    extract::Path,
    response::{Redirect, Response},
};
use leptos::prelude::*;

use self::attempt::AttemptCard;
pub use self::attempt::Headers;
use crate::{
    domain::{Delivery, DeliveryId, DeliveryStatus, Role, Timestamp},
    store::{DeliveryDetail, Resent},
    ui::{
        PageError,
        components::{
            badge::DeliveryBadge,
            time_ago::{Moment, TimeAgo},
        },
        flash::Flash,
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
    let may_resend = visit.may(Role::Member);
    let page = Page::new("Delivery", Section::Deliveries).with_islands();
    Ok(visit.page(page, || {
        view! { <DeliveryScreen detail may_resend now/> }.into_any()
    }))
}

pub async fn resend(visit: Visit, Path(id): Path<String>) -> Result<Response, PageError> {
    let id: DeliveryId = id.parse().map_err(|_| PageError::NotFound)?;
    let resent = visit.ui.webhooks.resend(&visit.actor(), &id).await?;
    let message = match resent.ok_or(PageError::NotFound)? {
        Resent::Due => "It is being sent again.",
        Resent::UnderWay => "It is being sent at this moment.",
        Resent::Held => "The webhook is paused: it will be sent when that is resumed.",
        Resent::Disabled => "Nothing was sent: the webhook is disabled. Resume it first.",
        Resent::Deleted => "Nothing was sent: the webhook was deleted.",
    };
    let flash = Flash::plain(message.to_owned());
    Ok(visit.leave(flash, &paths::delivery(&id)).await)
}

/// People come here by GET when they had to sign in again before the form went through.
pub async fn instead(_: Visit, Path(id): Path<String>) -> Result<Redirect, PageError> {
    let id: DeliveryId = id.parse().map_err(|_| PageError::NotFound)?;
    Ok(Redirect::to(&paths::delivery(&id)))
}

#[component]
fn DeliveryScreen(detail: DeliveryDetail, may_resend: bool, now: Timestamp) -> impl IntoView {
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
    let resend = (may_resend && !delivery.webhook_deleted).then(|| {
        view! {
            <form method="post" action=paths::resend(&delivery.id)>
                <button class="button button--primary" type="submit">"Resend"</button>
            </form>
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
            <Inert label="Body of the request" text=body/>
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

/// What others wrote, as text and nothing else. It scrolls, so it can be focused.
#[component]
pub fn Inert(#[prop(into)] label: String, text: String) -> impl IntoView {
    if text.is_empty() {
        return view! { <p class="quiet">"Empty"</p> }.into_any();
    }
    view! { <pre class="inert" tabindex="0" role="region" aria-label=label>{text}</pre> }.into_any()
}
