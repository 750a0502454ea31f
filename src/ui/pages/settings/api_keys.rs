//! `/settings/api-keys`: the list of API keys, which is also under the dialogs of API keys.

pub mod new;
pub mod revoke;
mod table;

use axum::{http::StatusCode, response::Response};
use leptos::prelude::*;

use self::table::Table;
use crate::{
    domain::Timestamp,
    store::ApiKeyRow,
    ui::{
        PageError,
        components::{empty_state::EmptyState, form::Part},
        layout::{document::Page, fragment::Fragment, shell::Section},
        paths,
        request::context::RequestContext,
    },
};

pub async fn show(ctx: RequestContext) -> Result<Response, PageError> {
    let mut list = List::load(&ctx).await?;
    list.closed_dialog = ctx.referer_path.clone();
    let page = Page::new("API keys", Section::ApiKeys);
    let address = paths::API_KEYS.to_owned();
    Ok(ctx.render_list_page(page, address, || view! { <KeysScreen list/> }.into_any()))
}

/// Renders a dialog over the list.
async fn show_over_list(
    ctx: &RequestContext,
    title: &str,
    status: StatusCode,
    dialog: impl FnOnce() -> AnyView,
) -> Result<Response, PageError> {
    let address = paths::API_KEYS.to_owned();
    let list = if ctx.shows_list(&address) {
        None
    } else {
        Some(List::load(ctx).await?)
    };
    let page = Page::new(title, Section::ApiKeys).with_status(status);
    let content = || list.map(|list| view! { <KeysScreen list/> }).into_any();
    Ok(ctx.render_dialog(page, address, content, dialog))
}

/// Renders the list with a new key. Not a dialog, which could be closed by accident before the key is copied.
async fn show_created(ctx: &RequestContext, created: Fragment) -> Result<Response, PageError> {
    let list = List::load(ctx).await?;
    let page = Page::new("API key added", Section::ApiKeys)
        .with_islands()
        .with_secrets();
    Ok(ctx.render_page(page, || view! { <KeysScreen list created/> }.into_any()))
}

/// The data of the page.
struct List {
    keys: Vec<ApiKeyRow>,
    /// Path of the dialog that was just closed. The link that opened it gets the focus back.
    closed_dialog: Option<String>,
    now: Timestamp,
}

impl List {
    async fn load(ctx: &RequestContext) -> Result<Self, PageError> {
        Ok(Self {
            keys: ctx.ui.api_keys.list(&ctx.user.account_id).await?,
            closed_dialog: None,
            now: ctx.now,
        })
    }
}

#[component]
fn KeysScreen(list: List, #[prop(optional)] created: Option<Fragment>) -> impl IntoView {
    let List {
        keys,
        closed_dialog,
        now,
    } = list;
    let focus_add = closed_dialog.as_deref() == Some(paths::API_KEY_NEW);
    let contents = if keys.is_empty() {
        let text = "API keys let your programs publish events and manage webhooks. You choose the scopes of each key. A key is \
                    shown only once.";
        view! {
            <EmptyState title="No API keys yet" text>
                <a class="button button--primary" href=paths::API_KEY_NEW data-soft>"+ Add API key"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! { <Table keys closed_dialog now/> }.into_any()
    };
    view! {
        <div class="heading">
            <div>
                <h1>"API keys"</h1>
                <p class="heading__text">
                    "Your programs use these keys to publish events and manage webhooks through the "
                    <a href=paths::API_DOCS>"API"</a>". A revoked key stops working immediately."
                </p>
            </div>
            <a class="button button--primary" href=paths::API_KEY_NEW autofocus=focus_add data-soft>"+ Add API key"</a>
        </div>
        <Part html=created/>
        {contents}
    }
}
