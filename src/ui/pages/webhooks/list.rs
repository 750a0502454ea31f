//! `/integrations/webhook`: the list, which also lies under every dialog about a webhook.

mod filters;
mod nothing_yet;
mod table;

use std::collections::HashMap;

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;

use self::{filters::Filters, nothing_yet::NothingYet, table::Table};
use crate::{
    domain::{Role, Timestamp, WebhookId, WebhookStatus},
    store::{StoreError, WebhookPage},
    ui::{
        components::{activity_chart::Activity, empty_state::EmptyState, pagination::Pagination},
        layout::{document::Page, shell::Section},
        paths,
        request::{query::ListQuery, visit::Visit},
    },
};

pub async fn show(visit: Visit) -> Response {
    let query = visit.list_query();
    let address = query.on(paths::LIST);
    let mut list = List::load(&visit, query).await;
    list.left = visit.came_from.as_deref().and_then(Left::of);
    let page = PAGE.with_status(list.status());
    visit.list_page(page, address, || view! { <ListScreen list/> }.into_any())
}

/// A dialog over the list. If the list cannot be read, the dialog still shows what was typed into it.
pub async fn show_under(
    visit: &Visit,
    title: &str,
    status: StatusCode,
    dialog: impl FnOnce(ListQuery) -> AnyView,
) -> Response {
    let query = visit.list_query();
    let address = query.on(paths::LIST);
    let list = if visit.shows(&address) {
        None
    } else {
        Some(List::load(visit, query.clone()).await)
    };
    let page = Page::new(title, Section::Webhooks).with_status(status);
    let content = || list.map(|list| view! { <ListScreen list/> }).into_any();
    visit.page_over(page, address, content, || dialog(query))
}

const PAGE: Page<'static> = Page::new("Webhook", Section::Webhooks);

/// What the screen shows.
struct List {
    query: ListQuery,
    page: Result<WebhookPage, StoreError>,
    activity: HashMap<WebhookId, Activity>,
    /// By those that are paused.
    held: HashMap<WebhookId, u64>,
    /// Of the webhook that has just been added or saved.
    fresh: Option<WebhookId>,
    left: Option<Left>,
    may_add: bool,
    now: Timestamp,
}

/// Which dialog was open until now. What had opened it gets the focus back, as after any dialog.
#[derive(Debug, PartialEq, Eq)]
enum Left {
    Adding,
    Webhook(WebhookId),
}

impl Left {
    fn of(path: &str) -> Option<Self> {
        if path == paths::NEW {
            return Some(Self::Adding);
        }
        let id = path
            .strip_prefix(paths::LIST)?
            .strip_prefix('/')?
            .split('/')
            .next()?;
        id.parse().ok().map(Self::Webhook)
    }
}

impl List {
    async fn load(visit: &Visit, query: ListQuery) -> Self {
        let now = visit.now;
        let page = visit.account().list_webhooks(&query.0).await;
        let mut activity = HashMap::<_, Activity>::new();
        let mut held = HashMap::new();
        match &page {
            Ok(page) => {
                let ids: Vec<_> = page.webhooks.iter().map(|webhook| webhook.id.clone()).collect();
                // The list is worth showing without its charts.
                let hours = visit.account().webhook_activity(&ids, Activity::start(now)).await;
                let hours =
                    hours.inspect_err(|error| tracing::warn!(%error, "failed to load webhook activity"));
                for hour in hours.unwrap_or_default() {
                    activity
                        .entry(hour.webhook_id.clone())
                        .or_default()
                        .add(&hour, now);
                }
                let paused = page.webhooks.iter();
                let paused = paused.filter(|webhook| webhook.status == WebhookStatus::Paused);
                let paused: Vec<_> = paused.map(|webhook| webhook.id.clone()).collect();
                let counted = visit.account().held_deliveries(&paused).await;
                let counted =
                    counted.inspect_err(|error| tracing::warn!(%error, "failed to count held deliveries"));
                held.extend(counted.unwrap_or_default());
            }
            Err(error) => tracing::error!(%error, "failed to load the webhook list"),
        }
        let fresh = visit.flash.as_ref().and_then(|flash| flash.webhook.clone());
        Self {
            query,
            page,
            activity,
            held,
            fresh,
            left: None,
            may_add: visit.may(Role::Member),
            now,
        }
    }

    fn status(&self) -> StatusCode {
        match &self.page {
            Ok(_) => StatusCode::OK,
            Err(StoreError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn is_empty(&self) -> bool {
        self.page.as_ref().is_ok_and(|page| page.total == 0)
    }
}

#[component]
fn ListScreen(list: List) -> impl IntoView {
    // With nothing in the list yet, the way to add one stands in its middle.
    let add_above = list.may_add && !list.is_empty();
    let left_adding = list.left == Some(Left::Adding);
    let add = add_above.then(|| view! { <AddWebhook query=list.query.clone() focused=left_adding/> });
    view! {
        <div class="heading">
            <div>
                <h1>"Webhook"</h1>
                <p class="heading__text">
                    "Caleida calls these URLs, with a signature that proves it, each time one of their events happens."
                </p>
            </div>
            {add}
        </div>
        <Contents list/>
    }
}

/// The four states of the list. (Loading is not among them: a page arrives complete.)
#[component]
fn Contents(list: List) -> impl IntoView {
    let List {
        query,
        page,
        activity,
        held,
        fresh,
        left,
        may_add,
        now,
    } = list;
    match page {
        Err(_) => view! {
            <EmptyState
                title="The webhooks cannot be loaded"
                text="The database does not answer. Nothing is lost, and what is due will still be sent."
            >
                <a class="button button--primary" href=query.on(paths::LIST) data-soft>"Try again"</a>
            </EmptyState>
        }
        .into_any(),
        Ok(page) if page.total == 0 => {
            let add = may_add
                .then(|| view! { <AddWebhook query focused=left == Some(Left::Adding)/> }.into_any());
            view! { <NothingYet add/> }.into_any()
        }
        Ok(page) if page.webhooks.is_empty() => view! {
            <Filters query/>
            <EmptyState title="Nothing matches" text=format!("None of the {} fits this search.", counted(page.total))>
                <a class="button" href=paths::LIST data-soft="clear">"Clear filters"</a>
            </EmptyState>
        }
        .into_any(),
        Ok(page) => {
            let shown = page.webhooks.len();
            let left = match left {
                Some(Left::Webhook(id)) => Some(id),
                _ => None,
            };
            view! {
                <Filters query=query.clone()/>
                <Table webhooks=page.webhooks query=query.clone() activity held fresh left now/>
                <Pagination query shown matching=page.matching/>
            }
            .into_any()
        }
    }
}

#[component]
fn AddWebhook(query: ListQuery, focused: bool) -> impl IntoView {
    view! {
        <a class="button button--primary" href=query.on(paths::NEW) autofocus=focused data-soft>"+ Add Webhook"</a>
    }
}

fn counted(total: u64) -> String {
    if total == 1 {
        "1 webhook".into()
    } else {
        format!("{total} webhooks")
    }
}
