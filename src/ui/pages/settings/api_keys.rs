//! `/settings/api-keys`: the list of keys, which also lies under the dialogs about them.

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
        request::visit::Visit,
    },
};

pub async fn show(visit: Visit) -> Result<Response, PageError> {
    let mut list = List::load(&visit).await?;
    list.left = visit.came_from.clone();
    let page = Page::new("API keys", Section::ApiKeys);
    let address = paths::API_KEYS.to_owned();
    Ok(visit.list_page(page, address, || view! { <KeysScreen list/> }.into_any()))
}

/// A dialog over the list.
async fn show_under(
    visit: &Visit,
    title: &str,
    status: StatusCode,
    dialog: impl FnOnce() -> AnyView,
) -> Result<Response, PageError> {
    let address = paths::API_KEYS.to_owned();
    let list = if visit.shows(&address) {
        None
    } else {
        Some(List::load(visit).await?)
    };
    let page = Page::new(title, Section::ApiKeys).with_status(status);
    let content = || list.map(|list| view! { <KeysScreen list/> }).into_any();
    Ok(visit.page_over(page, address, content, dialog))
}

/// The list with a key that was just made, for the only time. Not a dialog: nothing closes it by accident.
async fn show_made(visit: &Visit, made: Fragment) -> Result<Response, PageError> {
    let list = List::load(visit).await?;
    let page = Page::new("API key made", Section::ApiKeys)
        .with_islands()
        .with_secrets();
    Ok(visit.page(page, || view! { <KeysScreen list made/> }.into_any()))
}

/// What the screen shows.
struct List {
    keys: Vec<ApiKeyRow>,
    /// The dialog that was open until now: the link that had opened it gets the focus back.
    left: Option<String>,
    now: Timestamp,
}

impl List {
    async fn load(visit: &Visit) -> Result<Self, PageError> {
        Ok(Self {
            keys: visit.ui.api_keys.list(&visit.user.account_id).await?,
            left: None,
            now: visit.now,
        })
    }
}

#[component]
fn KeysScreen(list: List, #[prop(optional)] made: Option<Fragment>) -> impl IntoView {
    let List { keys, left, now } = list;
    let left_adding = left.as_deref() == Some(paths::API_KEY_NEW);
    let contents = if keys.is_empty() {
        let text = "With an API key your programs publish events and manage webhooks. Each is good for what you choose, \
                    and is shown once.";
        view! {
            <EmptyState title="No API keys yet" text>
                <a class="button button--primary" href=paths::API_KEY_NEW data-soft>"+ Add API key"</a>
            </EmptyState>
        }
        .into_any()
    } else {
        view! { <Table keys left now/> }.into_any()
    };
    view! {
        <div class="heading">
            <div>
                <h1>"API keys"</h1>
                <p class="heading__text">
                    "Your programs use the "<a href=paths::API_DOCS>"API"</a>" with them, to publish events or to manage webhooks. \
                     A key that is revoked stops working at once."
                </p>
            </div>
            <a class="button button--primary" href=paths::API_KEY_NEW autofocus=left_adding data-soft>"+ Add API key"</a>
        </div>
        <Part html=made/>
        {contents}
    }
}
