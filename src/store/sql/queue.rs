use super::Connection;
use crate::{
    domain::Timestamp,
    store::{StoreError, rows::timestamp},
};

/// When the next pending delivery of all is due.
pub(super) async fn next_due(connection: &mut Connection) -> Result<Option<Timestamp>, StoreError> {
    // From one webhook with open deliveries to the next by the index, and of each the first: a long queue costs no more
    // than a short one, and no index of its own that every insert and every attempt would have to keep up.
    let due: Option<i64> = sqlx::query_scalar(
        "with recursive waiting (webhook_id) as (
             select (select min(webhook_id) from deliveries where status in ('pending', 'held'))
             union all
             select (select min(d.webhook_id) from deliveries d
                     where d.status in ('pending', 'held') and d.webhook_id > waiting.webhook_id)
             from waiting where waiting.webhook_id is not null)
         select min((
             select min(d.next_attempt_at) from deliveries d
             where d.webhook_id = waiting.webhook_id and d.status in ('pending', 'held') and d.status = 'pending'))
         from waiting where waiting.webhook_id is not null",
    )
    .fetch_one(connection)
    .await?;
    Ok(timestamp(due))
}

/// How many deliveries are pending, counted no further than `limit`.
pub(super) async fn count_pending(connection: &mut Connection, limit: u64) -> Result<u64, StoreError> {
    // In the same way: a million deliveries that are held lie between the others in the index, and are not read.
    let count: i64 = sqlx::query_scalar(
        "with recursive waiting (webhook_id) as (
             select (select min(webhook_id) from deliveries where status in ('pending', 'held'))
             union all
             select (select min(d.webhook_id) from deliveries d
                     where d.status in ('pending', 'held') and d.webhook_id > waiting.webhook_id)
             from waiting where waiting.webhook_id is not null)
         select count(*) from (
             select 1 from waiting cross join deliveries d
             where d.webhook_id = waiting.webhook_id and d.status in ('pending', 'held') and d.status = 'pending'
             limit $1) counted",
    )
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(count).unwrap_or_default())
}
