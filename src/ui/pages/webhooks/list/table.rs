//! The table of webhooks.

use std::collections::HashMap;

use leptos::prelude::*;

use crate::{
    domain::{Timestamp, UrlVisibility, Webhook, WebhookId, WebhookOptions},
    ui::{
        components::{
            activity_chart::{Activity, ActivityChart},
            badge::WebhookBadge,
            event_types::EventTypeList,
            time_ago::TimeAgo,
        },
        pages::webhooks::held::{Held, HeldCount},
        paths,
        request::query::ListQuery,
    },
};

/// The roles are explicit because browsers drop the table semantics of elements with a grid layout.
#[component]
pub fn Table(
    webhooks: Vec<Webhook>,
    query: ListQuery,
    activity: HashMap<WebhookId, Activity>,
    held: HashMap<WebhookId, Held>,
    saved: Option<WebhookId>,
    closed: Option<WebhookId>,
    urls: UrlVisibility,
    now: Timestamp,
) -> impl IntoView {
    let rows = webhooks.into_iter().map(|webhook| {
        let activity = activity.get(&webhook.id).cloned().unwrap_or_default();
        let held = held.get(&webhook.id).copied();
        let highlighted = saved.as_ref() == Some(&webhook.id);
        let focused = closed.as_ref() == Some(&webhook.id);
        view! { <Row href=query.href(&paths::webhook(&webhook.id)) webhook activity held highlighted focused urls now/> }
    });
    view! {
        <table class="table table--webhooks" role="table">
            <thead role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">"Name"</th>
                    <th role="columnheader" scope="col">"Events"</th>
                    <th role="columnheader" scope="col">"Status"</th>
                    <th role="columnheader" scope="col">"Last attempt"</th>
                    <th role="columnheader" scope="col">"24 hours"</th>
                    <th role="columnheader" scope="col"><span class="unseen">"Log"</span></th>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows.collect_view()}</tbody>
        </table>
    }
}

/// The link is on the name. The style sheet stretches it over the whole row.
#[component]
fn Row(
    webhook: Webhook,
    href: String,
    activity: Activity,
    held: Option<Held>,
    highlighted: bool,
    focused: bool,
    urls: UrlVisibility,
    now: Timestamp,
) -> impl IntoView {
    let name_id = format!("name-{}", webhook.id);
    let status = view! { <WebhookBadge webhook=&webhook now/> };
    let marks = view! { <Marks options=&webhook.settings.options/> };
    let last_attempt = webhook.last_attempt.map_or_else(
        || view! { <span class="quiet">"None yet"</span> }.into_any(),
        |last| {
            let class = if last.outcome.succeeded() { "" } else { "bad" };
            view! { <span class=class>{last.outcome.to_string()}</span>" · "<TimeAgo at=last.at now/> }
                .into_any()
        },
    );
    view! {
        <tr id=format!("row-{}", webhook.id) role="row" class=if highlighted { "row row--fresh" } else { "row" }>
            <th role="rowheader" scope="row" class="row__name">
                <a class="row__link" id=name_id.clone() href=href.clone() autofocus=focused data-soft>
                    {webhook.settings.name.to_string()}
                </a>
                <span class="row__url">{webhook.settings.url.shown(urls)}</span>
                {marks}
            </th>
            <td role="cell" class="row__events"><EventTypeList events=webhook.settings.events href/></td>
            <td role="cell" class="row__status">
                {status}
                {held.map(|held| view! { <HeldCount held now/> })}
            </td>
            <td role="cell" class="row__attempt">{last_attempt}</td>
            <td role="cell" class="row__activity"><ActivityChart activity/></td>
            <td role="cell" class="row__more">
                <a href=paths::deliveries(Some(&webhook.id)) aria-describedby=name_id>"Deliveries"</a>
            </td>
        </tr>
    }
}

/// Marks for settings that keep back events: a filter, and a rate limit.
#[component]
fn Marks<'a>(options: &'a WebhookOptions) -> impl IntoView + use<> {
    let filter = options.filter.as_ref().map(|filter| {
        let title = format!("Only events where {filter}");
        view! { <span class="mark" title=title>"Filtered"</span> }
    });
    let limit = options.rate_limit.map(|limit| {
        view! { <span class="mark">{format!("{limit}/s")}<span class="unseen">": rate limit"</span></span> }
    });
    let is_marked = filter.is_some() || limit.is_some();
    is_marked.then(|| view! { <span class="row__marks">{filter}{limit}</span> })
}
