//! `/integrations/webhook/deliveries` and `…/{id}/deliveries`: the delivery log of all webhooks or of one.

mod filters;
pub mod live;

use axum::response::Response;
use leptos::prelude::*;

use self::filters::LogFilters;
use crate::{
    domain::{Delivery, DeliveryId, DeliveryStatus, Role, Timestamp, UrlVisibility, Webhook, WebhookId},
    store::{AccountStore, DeliveryPage, StoreError},
    ui::{
        PageError,
        components::{
            badge::DeliveryBadge,
            day_table::DayTable,
            list_page::{ListPage, LogNavigation, LogTexts, NoEntries},
            time_ago::{TimeAgo, TimeOfDay, group_by_day},
        },
        islands::live_part::LivePart,
        layout::{document::Page, shell::Section},
        pages::deliveries::health::{Health, HealthSection},
        paths,
        request::{context::RequestContext, query::LogQuery},
    },
};

const TEXTS: LogTexts = LogTexts {
    entries: "deliveries",
    empty_title: "No deliveries yet",
    empty_text: "When an event occurs that a webhook is subscribed to, its delivery appears here, with the request and the \
                 response of every attempt.",
};

pub async fn show_all(ctx: RequestContext) -> Result<Response, PageError> {
    page(&ctx, LogQuery::parse(&ctx.query, None), None).await
}

pub async fn show_webhook(
    paths::WebhookDeliveries { id }: paths::WebhookDeliveries,
    ctx: RequestContext,
) -> Result<Response, PageError> {
    let webhook = ctx.webhook(&id).await?;
    page(&ctx, LogQuery::parse(&ctx.query, Some(id)), Some(webhook)).await
}

async fn page(
    ctx: &RequestContext,
    query: LogQuery,
    webhook: Option<Webhook>,
) -> Result<Response, PageError> {
    let account = ctx.account();
    let log = load(&account, &query).await?;
    let webhooks = if query.single_webhook {
        Vec::new()
    } else {
        account.webhook_names().await?
    };
    let health = match webhook.as_ref().filter(|_| query.filter.before.is_none()) {
        Some(webhook) => Some(Health::load(ctx, webhook).await?),
        None => None,
    };
    let (now, may_recover) = (ctx.now, ctx.has_role(Role::Member));
    let urls = ctx.url_visibility();
    let title = webhook
        .as_ref()
        .map(|webhook| format!("Deliveries for {}", webhook.settings.name));
    let page = Page::new(title.as_deref().unwrap_or("Deliveries"), Section::Deliveries);
    let address = query.href();
    Ok(ctx.render_list_page(page, address, || {
        view! { <LogScreen webhook query log webhooks health may_recover urls now/> }.into_any()
    }))
}

/// Returns a page of the deliveries that match the query.
async fn load(account: &AccountStore<'_>, query: &LogQuery) -> Result<DeliveryPage, StoreError> {
    if query.invalid.match_nothing() {
        return Ok(DeliveryPage {
            deliveries: Vec::new(),
            next: None,
        });
    }
    account.list_deliveries(&query.filter).await
}

#[component]
fn LogScreen(
    webhook: Option<Webhook>,
    query: LogQuery,
    log: DeliveryPage,
    webhooks: Vec<(WebhookId, String)>,
    health: Option<Health>,
    may_recover: bool,
    urls: UrlVisibility,
    now: Timestamp,
) -> impl IntoView {
    let recover = webhook.as_ref().filter(|_| may_recover).map(|webhook| {
        view! { <a class="button" href=paths::recover(&webhook.id)>"Recover…"</a> }.into_any()
    });
    let text = match webhook {
        Some(webhook) => view! {
            "For "<a href=paths::webhook(&webhook.id)>{webhook.settings.name.to_string()}</a>", sent to "
            <span class="address">{webhook.settings.url.shown(urls)}</span>
        }
        .into_any(),
        None => "Every event that was sent to a webhook, and the outcome.".into_any(),
    };
    let navigation = navigation(&query, &log);
    // Older pages, and a log with an end time, do not change.
    let is_live = query.filter.before.is_none() && query.filter.until.is_none();
    // Each combination of filters has its own stream and therefore its own element.
    let live = is_live.then(|| view! { <div id=format!("live-{}", query.href())><LivePart/></div> });
    let health = health.map(|health| view! { <HealthSection health now/> }.into_any());
    let filters = view! { <LogFilters query=query.clone() webhooks/> }.into_any();
    view! {
        <ListPage title="Deliveries" text actions=recover above=health filters navigation>
            {live}
            <div id="live"><Entries query log now/></div>
        </ListPage>
    }
}

fn navigation(query: &LogQuery, log: &DeliveryPage) -> LogNavigation {
    let starting_at = |before: Option<DeliveryId>| {
        let mut query = query.clone();
        query.filter.before = before;
        query.href()
    };
    LogNavigation {
        unfiltered: query.path(),
        filtered: query.is_filtered(),
        newest: query.filter.before.is_some().then(|| starting_at(None)),
        older: log.next.clone().map(|next| starting_at(Some(next))),
    }
}

/// The entries, which the live log replaces.
#[component]
fn Entries(query: LogQuery, log: DeliveryPage, now: Timestamp) -> impl IntoView {
    if log.deliveries.is_empty() {
        view! { <NoEntries navigation=navigation(&query, &log) texts=TEXTS/> }.into_any()
    } else {
        view! { <Days deliveries=log.deliveries single_webhook=query.single_webhook now/> }.into_any()
    }
}

#[component]
fn Days(deliveries: Vec<Delivery>, single_webhook: bool, now: Timestamp) -> impl IntoView {
    let days = group_by_day(deliveries, now, |delivery| delivery.created_at);
    let days = days.into_iter().enumerate().map(|(index, (day, deliveries))| {
        let rows = deliveries
            .into_iter()
            .map(|delivery| view! { <Row delivery single_webhook now/> });
        let rows = rows.collect_view();
        view! { <DayTable index day class="table table--deliveries" columns=COLUMNS>{rows}</DayTable> }
    });
    days.collect_view()
}

const COLUMNS: &[&str] = &["Time", "Status", "Event", "Webhook", "Attempts"];

#[component]
fn Row(delivery: Delivery, single_webhook: bool, now: Timestamp) -> impl IntoView {
    let webhook = if single_webhook {
        "row__webhook row__webhook--same"
    } else {
        "row__webhook"
    };
    let deleted = delivery
        .webhook_deleted
        .then(|| view! { <span class="quiet">" (deleted)"</span> });
    let attempts = match delivery.attempts {
        0 => "None yet".to_owned(),
        1 => "1".to_owned(),
        n => n.to_string(),
    };
    let result = delivery.last_outcome.map(|outcome| format!(" · {outcome}"));
    let next = delivery
        .next_attempt_at
        .filter(|_| delivery.status == DeliveryStatus::Pending);
    let next = next.map(|at| view! { <span class="quiet">" · next "<TimeAgo at now/></span> });
    view! {
        <tr id=format!("row-{}", delivery.id) role="row" class="row">
            <td role="cell" class="row__time"><TimeOfDay at=delivery.created_at/></td>
            <td role="cell" class="row__status"><DeliveryBadge status=delivery.status/></td>
            <th role="rowheader" scope="row" class="row__event">
                <code class="event">{delivery.event_type.as_str()}</code>
                <a class="row__link row__id" href=paths::delivery(&delivery.id)>{delivery.event_id.to_string()}</a>
            </th>
            <td role="cell" class=webhook>{delivery.webhook_name}{deleted}</td>
            <td role="cell" class="row__attempts">{attempts}{result}{next}</td>
        </tr>
    }
}
