//! The paces of webhooks with a rate limit.

use crate::{
    domain::WebhookId,
    store::{
        StoreError,
        claims::{ClaimCandidate, PaceRow},
        database::{Connection, query},
    },
};

/// Creates the pace of a webhook that has a rate limit.
pub(super) async fn create_pace(connection: &mut Connection, webhook: &WebhookId) -> Result<(), StoreError> {
    query(
        "insert into webhook_paces (webhook_id, free_at)
         select id, 0 from webhooks where id = $1 and rate_limit is not null
         on conflict do nothing",
    )
    .bind(webhook)
    .execute(connection)
    .await
    .map(drop)
}

/// Locks the paces of webhooks and returns them, except those that another process has locked: its claim decides how
/// many calls are made.
pub(super) async fn lock_paces(
    connection: &mut Connection,
    limited: &[&ClaimCandidate],
) -> Result<Vec<PaceRow>, StoreError> {
    if limited.is_empty() {
        return Ok(Vec::new());
    }
    let mut paces = query("select webhook_id, free_at from webhook_paces where webhook_id in (");
    paces.push_list(limited.iter().map(|candidate| &candidate.webhook_id));
    paces.push(")");
    paces
        .uncached()
        .locking("for update skip locked", connection)
        .fetch_all(connection)
        .await
}

pub(super) async fn set_pace(
    connection: &mut Connection,
    webhook: &WebhookId,
    free_at: i64,
) -> Result<(), StoreError> {
    query("update webhook_paces set free_at = $2 where webhook_id = $1")
        .bind(webhook)
        .bind(free_at)
        .execute(connection)
        .await
        .map(drop)
}
