//! The search of callers that see shortened URLs. The database cannot search parts of a URL, so this code does.

use super::webhook_filter::push_filter;
use crate::{
    domain::{AccountId, EndpointUrl, WebhookId, WebhookName},
    store::{
        StoreError, WebhookFilter,
        database::{Connection, query},
        rows::{WEBHOOK_COLUMNS, WebhookRow},
        search_key::{search_terms, visible_search_text},
    },
};

/// Returns the webhooks whose name or host matches, newest first.
pub(super) async fn matching(
    connection: &mut Connection,
    account: &AccountId,
    filter: &WebhookFilter,
    search: &str,
) -> Result<Vec<WebhookId>, StoreError> {
    let mut candidates = query("select id, name, url from webhooks");
    push_filter(&mut candidates, account, filter, None);
    candidates.push(" order by id desc");
    let candidates: Vec<(WebhookId, WebhookName, EndpointUrl)> = candidates.fetch_all(connection).await?;
    let terms = search_terms(search);
    let matches = candidates.into_iter().filter(|(_, name, url)| {
        let text = visible_search_text(name, url);
        terms.iter().any(|term| text.contains(term))
    });
    Ok(matches.map(|(id, ..)| id).collect())
}

/// Returns a page of these webhooks, which are sorted.
pub(super) async fn page(
    connection: &mut Connection,
    account: &AccountId,
    filter: &WebhookFilter,
    matching: &[WebhookId],
) -> Result<Vec<WebhookRow>, StoreError> {
    let (page, limit) = (filter.page as usize, filter.limit as usize);
    let before = filter.before.as_ref();
    let ids = matching
        .iter()
        .filter(|id| before.is_none_or(|before| *id < before));
    let ids: Vec<_> = ids.skip(page.saturating_mul(limit)).take(limit).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut listing = query(format!(
        "select {WEBHOOK_COLUMNS} from webhooks where account_id = "
    ));
    listing
        .push_bind(account)
        .push(" and deleted_at is null and id in (");
    listing.push_list(ids).push(") order by id desc");
    listing.uncached().fetch_all(connection).await
}
