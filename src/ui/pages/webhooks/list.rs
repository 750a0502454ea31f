//! `/integrations/webhook`: the list, which is also under every dialog of a webhook.

mod filters;
mod no_webhooks;
mod table;

use std::collections::HashMap;

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;

use self::{filters::Filters, no_webhooks::NoWebhooks, table::Table};
use super::held::Held;
use crate::{
    domain::{Role, Timestamp, UrlVisibility, WebhookId, WebhookStatus},
    store::{StoreError, WebhookFilter, WebhookPage},
    ui::{
        components::{activity_chart::Activity, empty_state::EmptyState, pagination::Pagination},
        layout::{document::Page, shell::Section},
        paths,
        request::{context::RequestContext, query::ListQuery},
    },
};

pub async fn show(ctx: RequestContext) -> Response {
    let query = ctx.list_query();
    let address = query.href(paths::LIST);
    let mut list = List::load(&ctx, query).await;
    list.closed_dialog = ctx.referer_path.as_deref().and_then(ClosedDialog::from_path);
    let page = PAGE.with_status(list.status());
    ctx.render_list_page(page, address, || view! { <ListScreen list/> }.into_any())
}

/// Renders a dialog over the list. If the list cannot be loaded, the dialog still keeps what the user entered.
pub async fn show_over_list(
    ctx: &RequestContext,
    title: &str,
    status: StatusCode,
    dialog: impl FnOnce(ListQuery) -> AnyView,
) -> Response {
    let query = ctx.list_query();
    let address = query.href(paths::LIST);
    let list = if ctx.shows_list(&address) {
        None
    } else {
        Some(List::load(ctx, query.clone()).await)
    };
    let page = Page::new(title, Section::Webhooks).with_status(status);
    let content = || list.map(|list| view! { <ListScreen list/> }).into_any();
    ctx.render_dialog(page, address, content, || dialog(query))
}

const PAGE: Page<'static> = Page::new("Webhook", Section::Webhooks);

/// The data of the page.
struct List {
    query: ListQuery,
    page: Result<WebhookPage, StoreError>,
    activity: HashMap<WebhookId, Activity>,
    held: HashMap<WebhookId, Held>,
    /// The webhook that was just added or saved.
    saved: Option<WebhookId>,
    closed_dialog: Option<ClosedDialog>,
    may_add: bool,
    urls: UrlVisibility,
    now: Timestamp,
}

/// The dialog that was just closed. The link that opened it gets the focus back.
#[derive(Debug, PartialEq, Eq)]
enum ClosedDialog {
    Add,
    Webhook(WebhookId),
}

impl ClosedDialog {
    fn from_path(path: &str) -> Option<Self> {
        if path == paths::NEW {
            return Some(Self::Add);
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
    async fn load(ctx: &RequestContext, query: ListQuery) -> Self {
        let now = ctx.now;
        let filter = WebhookFilter {
            urls: ctx.url_visibility(),
            ..query.filter.clone()
        };
        let page = ctx.account().list_webhooks(&filter).await;
        let page = page.map(|page| {
            if query.invalid.match_nothing() {
                WebhookPage {
                    webhooks: Vec::new(),
                    matching: 0,
                    ..page
                }
            } else {
                page
            }
        });
        let mut activity = HashMap::<_, Activity>::new();
        let mut held = HashMap::new();
        match &page {
            Ok(page) => {
                let ids: Vec<_> = page.webhooks.iter().map(|webhook| webhook.id.clone()).collect();
                // The list is useful without the charts.
                let hours = ctx.account().webhook_activity(&ids, Activity::start(now)).await;
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
                held = Held::load(ctx, &paused).await;
            }
            Err(error) => tracing::error!(%error, "failed to load the webhook list"),
        }
        let saved = ctx.flash.as_ref().and_then(|flash| flash.webhook.clone());
        Self {
            query,
            page,
            activity,
            held,
            saved,
            closed_dialog: None,
            may_add: ctx.has_role(Role::Member),
            urls: ctx.url_visibility(),
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
    // An empty list has the button in its placeholder.
    let add_in_heading = list.may_add && !list.is_empty();
    let focus_add = list.closed_dialog == Some(ClosedDialog::Add);
    let add = add_in_heading.then(|| view! { <AddWebhook query=list.query.clone() focused=focus_add/> });
    view! {
        <div class="heading">
            <div>
                <h1>"Webhook"</h1>
                <p class="heading__text">
                    "Caleida sends a signed request to these URLs each time one of their events occurs."
                </p>
            </div>
            {add}
        </div>
        <Contents list/>
    }
}

/// The states of the list: error, empty, no match, and webhooks. There is no loading state, because the server renders
/// the complete page.
#[component]
fn Contents(list: List) -> impl IntoView {
    let List {
        query,
        page,
        activity,
        held,
        saved,
        closed_dialog,
        may_add,
        urls,
        now,
    } = list;
    match page {
        Err(_) => view! {
            <EmptyState
                title="Webhooks could not be loaded"
                text="The database does not respond. No data is lost, and pending deliveries will be sent."
            >
                <a class="button button--primary" href=query.href(paths::LIST) data-soft>"Try again"</a>
            </EmptyState>
        }
        .into_any(),
        Ok(page) if page.total == 0 => {
            let add = may_add.then(|| {
                view! { <AddWebhook query focused=closed_dialog == Some(ClosedDialog::Add)/> }.into_any()
            });
            view! { <NoWebhooks add/> }.into_any()
        }
        Ok(page) if page.webhooks.is_empty() => view! {
            <Filters query urls/>
            <EmptyState title="No matches" text="No webhooks match these filters.">
                <a class="button" href=paths::LIST data-soft="clear">"Clear filters"</a>
            </EmptyState>
        }
        .into_any(),
        Ok(page) => {
            let shown = page.webhooks.len();
            let closed = match closed_dialog {
                Some(ClosedDialog::Webhook(id)) => Some(id),
                _ => None,
            };
            view! {
                <Filters query=query.clone() urls/>
                <Table webhooks=page.webhooks query=query.clone() activity held saved closed urls now/>
                <Pagination query shown matching=page.matching/>
            }
            .into_any()
        }
    }
}

#[component]
fn AddWebhook(query: ListQuery, focused: bool) -> impl IntoView {
    view! {
        <a class="button button--primary" href=query.href(paths::NEW) autofocus=focused data-soft>"+ Add Webhook"</a>
    }
}
